"""Accelerators as their makers describe them: the choices in the model calculator and the roofline.

Peaks are dense 16-bit matrix products with 32-bit sums: half of what NVIDIA's data sheets of the L4, H100 and H200 print, whose figures
are "with sparsity" (242, 1,979 and 1,979 · 10¹²). The A100's sheet gives both (312 and 624), the T4 knows no sparsity. Bandwidth and
memory are as printed; the T4's product brief says "up to" 320 GB/s, and Google's page on the v5e, which said 819 GB/s for years, says
800 GiB/s in some of its later versions. Compared with the sources in November 2026.
"""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Accelerator:
    """One kind of accelerator.

    Attributes:
        name: as sold.
        peak: operations a second.
        bandwidth: bytes a second between its memory and its cores.
        memory: bytes.
        source: who says so, and when.
    """

    name: str
    peak: float
    bandwidth: float
    memory: float
    source: str


ACCELERATORS = (
    Accelerator("NVIDIA T4", 65e12, 320e9, 16e9, "NVIDIA T4 product brief, 2018"),
    Accelerator("NVIDIA L4", 121e12, 300e9, 24e9, "NVIDIA L4 data sheet, 2023"),
    Accelerator("NVIDIA A100 80GB SXM", 312e12, 2039e9, 80e9, "NVIDIA A100 data sheet, 2021"),
    Accelerator("NVIDIA H100 SXM", 989e12, 3350e9, 80e9, "NVIDIA H100 data sheet, 2023"),
    Accelerator("NVIDIA H200 SXM", 989e12, 4800e9, 141e9, "NVIDIA H200 data sheet, 2024"),
    Accelerator("Google TPU v5e", 197e12, 819e9, 16e9, "Google Cloud TPU documentation, 2023"),
    Accelerator("Google TPU v6e", 918e12, 1638e9, 32e9, "Google Cloud TPU documentation, 2024"),
)


def table(*, peak: float | None = None, bandwidth: float = 0.0, memory: float = 0.0, name: str = "") -> list[dict]:
    """The accelerators as dictionaries, after one of the learner's own if its peak is given.

    Args:
        peak, bandwidth, memory: of the learner's machine, in operations a second, bytes a second and bytes.
        name: what to call it.
    """
    own = [Accelerator(name, peak, bandwidth, memory, "")] if peak else []
    return [asdict(accelerator) for accelerator in (*own, *ACCELERATORS)]
