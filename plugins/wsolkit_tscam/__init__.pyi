from .head import TSCAMHead as TSCAMHead, attention_to_cells as attention_to_cells
