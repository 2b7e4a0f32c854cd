from .scenes import (
    Scene as Scene,
    SceneOptions as SceneOptions,
    render_scene as render_scene,
)
from .synthetic import (
    SyntheticParts as SyntheticParts,
    export_folder as export_folder,
)
