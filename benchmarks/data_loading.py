"""Images per second and core from JPEG files to training crops, beside wsolevaluation's transform.

    python benchmarks/data_loading.py [FOLDER] [--images 64] [--repeats 15] [--batch 16]

Without a folder, photograph-like JPEGs of 500x375 pixels and about 54 kB are made in a temporary one. Variants take
turns within each repetition, so that a busy machine slows all of them; the ratio is the median of the repetitions'
ratios. One thread, seconds are those of the CPU. Two stages are measured: single crops, and batches as the network
gets them, float32 and normalised.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import default_collate
from torchvision import transforms as v1

from wsolkit.datasets.collate import collate_samples
from wsolkit.datasets.decode import read_image
from wsolkit.datasets.transforms import ResizedRandomCrop, build_pipeline
from wsolkit.model.preprocess import IMAGENET, ImagePreprocessor

REFERENCE = "wsolevaluation"


def make_photographs(folder: Path, count: int, kilobytes: float = 54) -> None:
    """Write JPEGs whose detail falls off with frequency as in photographs, noise chosen so that the size fits."""
    rng = np.random.default_rng(0)
    height, width = 375, 500
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    distance = np.hypot(fx, fy)
    distance[0, 0] = 1
    mix = np.array([[1, 0.15, 0.1], [1, 0, -0.1], [1, -0.1, 0.2]])
    for number in range(count):
        spectrum = np.fft.rfft2(rng.standard_normal((3, height, width)))
        detail = np.fft.irfft2(spectrum / distance, s=(height, width))
        pixels = np.tensordot(mix, (detail - detail.mean()) / detail.std(), 1) * 45 + 128
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8).transpose(1, 2, 0))
        for quality in range(90, 10, -5):
            image.save(folder / f"{number:04d}.jpg", quality=quality)
            if (folder / f"{number:04d}.jpg").stat().st_size < kilobytes * 1e3:
                break


def variants() -> dict:
    """Return name -> function from a path to a crop."""
    reference = v1.Compose(
        [
            v1.Resize((256, 256)),
            v1.RandomCrop(224),
            v1.RandomHorizontalFlip(),
            v1.ToTensor(),
            v1.Normalize(*IMAGENET),
        ]
    )
    flip = {"type": "RandomHorizontalFlip"}
    ours = build_pipeline([ResizedRandomCrop(256, crop=224), flip])
    two_steps = build_pipeline([{"type": "Resize", "size": (256, 256)}, {"type": "RandomCrop", "size": 224}, flip])
    random_resized = build_pipeline([{"type": "RandomResizedCrop", "size": 224, "antialias": True}, flip])

    def wsolevaluation(path: Path) -> torch.Tensor:
        return reference(Image.open(path).convert("RGB"))

    return {
        REFERENCE: wsolevaluation,
        "ResizedRandomCrop": lambda path: ours(read_image(path)),
        "Resize, RandomCrop": lambda path: two_steps(read_image(path)),
        "RandomResizedCrop": lambda path: random_resized(read_image(path)),
        "decoding alone": read_image,
    }


def measure(paths: list[Path], repeats: int, batch: int) -> None:
    """Print images/s of every variant and its ratio to wsolevaluation's transform."""
    preprocess, label = ImagePreprocessor(), torch.tensor(0)
    makers = variants()

    def crops(make: object) -> None:
        for path in paths:
            make(path)

    def batches(make: object, normalise: bool) -> None:
        for start in range(0, len(paths), batch):
            samples = [
                {"inputs": make(path), "labels": label, "image_ids": ""} for path in paths[start : start + batch]
            ]
            if normalise:
                preprocess(collate_samples(samples))
            else:
                default_collate(samples)

    def work(stage: str, name: str) -> None:
        if stage == "crops":
            crops(makers[name])
        else:
            batches(makers[name], normalise=name != REFERENCE)

    for stage in ("crops", "batches"):
        names = [name for name in makers if stage == "crops" or name != "decoding alone"]
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for repeat in range(repeats + 1):
            for name in names:
                start = time.process_time()
                work(stage, name)
                if repeat:  # the first warms up
                    seconds[name].append(time.process_time() - start)
        print(f"{stage:22} images/s  ratio")
        for name in names:
            ratio = statistics.median(slow / fast for slow, fast in zip(seconds[REFERENCE], seconds[name], strict=True))
            print(f"  {name:20} {len(paths) / statistics.median(seconds[name]):8.0f}  {ratio:5.2f}")


def compare(paths: list[Path]) -> tuple[float, float]:
    """Return the mean difference in grey levels to Pillow's Resize and CenterCrop: of two steps, and of one."""
    resize = build_pipeline([{"type": "Resize", "size": (256, 256)}, {"type": "CenterCrop", "size": 224}])
    one_step = ResizedRandomCrop(256, crop=224)
    differences = []
    for path in paths:
        pillow = v1.CenterCrop(224)(v1.Resize((256, 256))(Image.open(path).convert("RGB")))
        expected = v1.functional.pil_to_tensor(pillow).float()
        image = read_image(path)
        height, width = image.shape[-2:]
        top, bottom = round(height * 16 / 256), round(height * 240 / 256)
        centre = {"top": top, "height": bottom - top, "width": width, "left": 16}
        got = (resize(image), one_step.transform(image, centre))
        differences.append([(expected - crop.float()).abs().mean().item() for crop in got])
    return tuple(np.mean(differences, axis=0))


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="folder of JPEGs, searched below as well")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        if args.folder is None:
            make_photographs(Path(temporary), args.images)
        paths = sorted((args.folder or Path(temporary)).rglob("*.jpg"))
        paths = paths[:: max(1, len(paths) // args.images)][: args.images]
        size = statistics.fmean(path.stat().st_size for path in paths) / 1e3
        print(f"{len(paths)} JPEGs of {size:.0f} kB on average, torch {torch.__version__}, one thread")
        measure(paths, args.repeats, args.batch)
        print(
            "mean difference to Pillow's, grey levels: Resize {:.2f}, ResizedRandomCrop {:.2f}".format(*compare(paths))
        )


if __name__ == "__main__":
    main()
