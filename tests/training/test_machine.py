"""What a training ran on is called by its name."""

from wsolkit.training.machine import machine, processor_name


def test_a_processor_is_called_as_linux_says(tmp_path):
    known = tmp_path / "cpuinfo"
    known.write_text("processor\t: 0\nmodel name\t: \nmodel name\t: EPYC: 7 cores\nmodel name : other\n")
    assert processor_name(known) == "EPYC: 7 cores"
    assert processor_name(tmp_path / "none")  # some name, whatever the system
    assert machine()["processor"] == processor_name()
