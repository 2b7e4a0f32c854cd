from .benchmark.files import write_benchmark as write_benchmark
from .benchmark.table import BenchmarkTable as BenchmarkTable, table_of as table_of
from .benchmark.terminal import print_benchmark as print_benchmark
from .comparison import (
    Comparison as Comparison,
    compare_runs as compare_runs,
)
from .comparison_folder import (
    prepare_comparison_folder as prepare_comparison_folder,
)
from .comparison_page import (
    write_comparison as write_comparison,
)
from .contact_sheet import (
    contact_sheet as contact_sheet,
    evenly as evenly,
    write_contact_sheet as write_contact_sheet,
)
from .evaluation import Evaluation as Evaluation
from .evaluation_file import read_evaluation as read_evaluation, write_evaluation as write_evaluation
from .job_facts import JobFacts as JobFacts, read_jobs as read_jobs
from .mask_colours import colour_mask as colour_mask
from .page import (
    write_report as write_report,
)
from .tables import evaluation_table as evaluation_table
