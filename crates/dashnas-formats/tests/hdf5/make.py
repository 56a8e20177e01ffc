"""Makes the files of the test `hdf5`: each but `large` holds the same data set in a form that only the HDF5 library reads.
Needs NumPy and h5py with an HDF5 library 2.0 or newer.

    python make.py
"""

import os
from pathlib import Path

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

os.chdir(Path(__file__).parent)
x, y = np.arange(60).reshape(10, 1, 6), np.array([0, 1] * 5, "i1")


def put(name, fill, **how):
    with h5py.File(name, "w", **how) as file:
        fill(file)


def checked(name):
    """Both arrays must be what h5py reads, wherever they are."""
    with h5py.File(name) as file:
        at = next(at for at in (file, file.get("data"), file.get("deep/train")) if at is not None and "x" in at)
        assert np.array_equal(at["x"][...].astype("f8"), x), name
        labels = at["y"][...].ravel()
        assert np.array_equal(labels == labels[1], y == 1), name


def low(file, dtype, filters=None, chunk=None, layout=None, write="f4"):
    """Writes the inputs with a type or a filter that h5py's own functions do not offer."""
    plist = h5p.create(h5p.DATASET_CREATE)
    if chunk:
        plist.set_chunk(chunk)
    if filters:
        plist.set_filter(filters)
    data = h5d.create(file.id, b"x", dtype, h5s.create_simple(x.shape), plist)
    data.write(h5s.ALL, h5s.ALL, x.astype(write).copy())
    file["y"] = y


def tree(file):
    file.create_dataset("x", data=x.astype("f4"), chunks=(3, 1, 4), maxshape=(None, 1, None))
    file["y"] = y


def filtered_tree(file):
    kind = h5py.enum_dtype({"no": 0, "yes": -1}, basetype=">i2")
    grows = dict(chunks=(3, 1, 4), maxshape=(None, None, None), compression="gzip", shuffle=True)
    file.create_dataset("x", data=x.astype(">f8"), **grows)
    file.create_dataset("y", data=-y.astype(">i2"), dtype=kind, chunks=(4,), maxshape=(None,))


def texts(file):
    many = dict(chunks=(2, 1), maxshape=(None, None))
    file.create_dataset("x", data=x.astype(">f2"), chunks=(3, 1, 4), maxshape=(None, None, 6))
    file.create_dataset("y", data=[["nö"], ["yes"]] * 5, dtype=h5py.string_dtype(), **many)


def fixed_texts(file):
    file.create_dataset("x", data=x.astype("u2"), chunks=(3, 1, 4), maxshape=(None, None, 6))
    file.create_dataset("y", data=np.array([[b"no"], [b"yes"]] * 5), chunks=(2, 1), maxshape=(None, None))


def truth(file):
    many = dict(chunks=(2, 1), maxshape=(None, None))
    file.create_dataset("x", data=x.astype("i8"), chunks=(3, 1, 4), maxshape=(None, None, 6))
    file.create_dataset("y", data=(y == 1)[:, None], **many)


def szip(file):
    file.create_dataset("x", data=x.astype("i2"), chunks=(5, 1, 6), compression="szip")
    file["y"] = y


def nbit(file):
    short = h5t.STD_I32LE.copy()
    short.set_precision(9)
    low(file, short, h5z.FILTER_NBIT, (4, 1, 6), write="i4")


def floats(size, sign, exponent, exponent_bits, mantissa_bits, bias):
    kind = h5t.IEEE_F32LE.copy()
    kind.set_fields(sign, exponent, exponent_bits, 0, mantissa_bits)
    kind.set_size(size)
    kind.set_ebias(bias)
    return lambda file: low(file, kind)


def parts(file):
    with h5py.File("parts.h5", "w", libver="v110") as source:
        source["first"], source["rest"] = x[:4].astype("f4"), x[4:].astype("i2")
        source["labels"] = y
    layout = h5py.VirtualLayout(x.shape, "f4")
    layout[:4] = h5py.VirtualSource("parts.h5", "first", (4, 1, 6))
    layout[4:] = h5py.VirtualSource("parts.h5", "rest", (6, 1, 6))
    file.create_virtual_dataset("x", layout)
    labels = h5py.VirtualLayout(y.shape, "i1")
    labels[:] = h5py.VirtualSource("parts.h5", "labels", y.shape)
    file.create_virtual_dataset("y", labels)


def missing_part(file):
    layout = h5py.VirtualLayout(x.shape, "f4")
    layout[:] = h5py.VirtualSource("nowhere.h5", "x", x.shape)
    file.create_virtual_dataset("x", layout)
    file["y"] = y


def linked(file):
    with h5py.File("linked_to.h5", "w", libver="v110") as source:
        source["deep/x"], source["deep/y"] = x.astype("f4"), y
    file["x"], file["y"] = (h5py.ExternalLink("linked_to.h5", f"/deep/{name}") for name in "xy")


def broken(file):
    file["x"], file["y"] = h5py.ExternalLink("nowhere.h5", "/x"), y


def linked_group(file):
    file["data"] = h5py.ExternalLink("linked_to.h5", "/deep")


def linked_inside(file):
    group = file.create_group("deep/train")
    group["x"], group["y"] = (h5py.ExternalLink("linked_to.h5", f"/deep/{name}") for name in "xy")


def outside(file, name="outside.bin"):
    # The path is relative to the folder in which the tests of a crate run.
    x.astype("<f4").tofile(name)
    file.create_dataset("x", x.shape, "f4", external=[(f"tests/hdf5/{name}", 0, x.size * 4)])
    file["y"] = y


def short_outside(file):
    outside(file, "outside_short.bin")
    os.truncate("outside_short.bin", 100)


def neighbors(file):
    """Filters that only one of the libraries has, side by side."""
    file.create_dataset("x", data=x.astype("i2"), chunks=(5, 1, 6), compression="szip")
    file.create_dataset("y", data=y, chunks=(5,), compression="lzf")


def newest(file):
    file.create_dataset("x", data=x.astype("f4"), chunks=(3, 1, 4), compression="gzip")
    file["y"] = y


def large(file):
    """Numbers that are large and vary little, of each type that has more digits than 32-bit floats."""
    many = dict(chunks=(3, 4), maxshape=(None, None))
    flat = x.reshape(10, 6)
    file.create_dataset("floats", data=1e9 + flat / 4, **many)
    file.create_dataset("short", data=flat.astype("i4") + 10**9, **many)
    file.create_dataset("signed", data=flat.astype(">i8") + 2**60, **many)
    file.create_dataset("unsigned", data=flat.astype("u8") + np.uint64(2**63), **many)
    packed = file.create_dataset("packed", data=flat.astype("i2"), **many)
    packed.attrs["scale_factor"], packed.attrs["add_offset"] = 0.25, 1e9
    file.create_dataset("y", data=1.7e9 + np.arange(10)[:, None] / 4, **many)


old = dict(libver=("v108", "v110"))
new = dict(libver=("v110", "v110"))
put("tree.h5", tree, **new)
put("filtered_tree.h5", filtered_tree, **new)
put("texts.h5", texts, **new)
put("fixed_texts.h5", fixed_texts, **new)
put("truth.h5", truth, **new)
put("szip.h5", szip, **old)
put("nbit.h5", nbit, **old)
put("bfloat16.h5", floats(2, 15, 7, 8, 7, 127), **old)
put("float24.h5", floats(3, 23, 15, 8, 15, 127), **old)
put("virtual.h5", parts, **new)
put("missing_part.h5", missing_part, **new)
put("linked.h5", linked, **old)
put("broken.h5", broken, **old)
put("linked_group.h5", linked_group, **new)
put("linked_inside.h5", linked_inside, **new)
put("outside.h5", outside, **old)
put("short_outside.h5", short_outside, **old)
put("neighbors.h5", neighbors, **old)
put("newest.h5", newest, libver="latest")
put("large.h5", large, **new)
os.chdir("../..")
for path in sorted(Path("tests/hdf5").glob("*.h5")):
    if path.stem not in ("parts", "linked_to", "missing_part", "short_outside", "broken", "large"):
        checked(path)
