"""Writes the containers of this folder: the same values in every protocol of
pickle, in every form of joblib and as skops, and values.txt, which spells them out.

Run with scikit-learn 1.3.2, NumPy 1.26.4, joblib 1.3.2, skops 0.9.0 and lz4 4.4.5 as
    python make.py numpy1
and with scikit-learn 1.9.1, NumPy 2.4.6, joblib 1.6.0, skops 0.16.0 and lz4 4.4.5 as
    python make.py numpy2
"""

import collections
import functools
import io
import os
import pickle
import struct
import sys
import zipfile

import joblib
import numpy as np
import skops.io
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Bunch

here = os.path.dirname(os.path.abspath(__file__))
folder = os.path.join(here, sys.argv[1])


def values():
    rng = np.random.default_rng(5)
    node32 = np.dtype(  # a node of a tree on a 32-bit system
        {
            "names": ["left_child", "feature", "threshold", "missing_go_to_left"],
            "formats": ["<i4", "<i4", "<f8", "u1"],
            "offsets": [0, 4, 8, 16],
            "itemsize": 24,
        }
    )
    nodes = np.zeros(3, node32)
    nodes["left_child"] = [1, -1, -1]
    nodes["feature"] = [2, -2, -2]
    nodes["threshold"] = [0.1, -2, -2]
    nodes["missing_go_to_left"] = [1, 0, 0]
    packed = np.array([(1.5, 7, 2), (-0.0, 8, 3)], dtype=[("value", "f8"), ("count", "u4"), ("depth", "u1")])
    big = np.array([(1.5, -7), (2.5, 8)], dtype=[("a", ">f4"), ("b", ">i2")])
    words = np.zeros(2, dtype=[("set", "<u4", (3,)), ("n", "i1")])
    words["set"] = [[1, 2, 3], [4, 5, 0xFFFFFFFF]]
    objects = np.empty((2, 3), dtype=object)
    for i in range(6):
        objects[i // 3, i % 3] = [None, "a", 2, 3.5, True, (1, 2)][i]
    tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit([[0, 1], [1, 0], [2, 2], [3, 1]], [0, 1, 1, 0])
    v = {
        "none": None,
        "bools": [True, False],
        "integers": [0, 1, 255, 256, 65535, 65536, -1, -129, 2**31 - 1, -(2**31), 2**31, 2**40, -(2**40), 2**63 - 1, -(2**63), 2**63, 2**70, -(2**70), 10**40],
        "floats": [0.0, -0.0, 0.1, 1e300, -2.5, float("inf"), float("-inf"), float("nan")],
        "text": ["", "a", "two\nlines \\ 'quoted' \"twice\"", "üñ€😀", "x" * 300],
        "bytes": [b"", b"\x00\xff\n'\\", bytes(range(256)) * 2],
        "bytearray": bytearray(b"\x00\x80abc"),
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "empty": [[], {}, set()],
        "set": {1, 2, 3},
        "keys": {"a": 1, 2: "b", None: 3},
        "ordered": collections.OrderedDict([("z", 1), ("a", 2)]),
        "default": collections.defaultdict(list, {"k": [1]}),
        "slice": slice(1, None, 2),
        "type": [np.float64, float, collections.OrderedDict],
        "partial": functools.partial(np.full, 3, fill_value=2),
        "bunch": Bunch(x=1, y="two"),
        "many": list(range(1100)),
        "f8": np.array([[0.1, -0.0, np.nan], [np.inf, 1e-310, 2]]),
        "f4": np.array([0.1, 1e-45, np.nan], "f4"),
        "f2": np.array([0.1, 6e-8, -65504, np.inf, np.nan, -0.0], "f2"),
        "fortran": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
        "strided": np.arange(20)[::3],
        "scalars": [np.float64(0.1), np.float32(0.1), np.int64(-5), np.uint8(200), np.bool_(True), np.str_("wörd")],
        "zero_d": np.array(2.5),
        "nothing": np.zeros((0, 3)),
        "big": np.array([1.5, -2.25], ">f8"),
        "big_i4": np.array([[1, -2], [3, 1 << 30]], ">i4"),
        "U": np.array(["a", "üñ€😀", ""]),
        "big_U": np.array(["ab", "ü"], ">U2"),
        "S": np.array([b"a", b"bcd\xff"]),
        "objects": np.array(["a", None, 1.5], dtype=object),
        "objects_2d": objects,
        "objects_fortran": np.asfortranarray(objects),
        "nodes": nodes,
        "packed": packed,
        "records_big": big,
        "subarray": words,
        "random": rng.integers(0, 1 << 60, 40),
        "dtype": np.dtype("f4"),
        "tree": tree,
        "function": FunctionTransformer(np.log1p),
    }
    for code in "b1 i1 i2 i4 i8 u1 u2 u4 u8".split():
        v[code] = np.array([0, 1, 100, -1]).astype(code)
    return v


def spell(v):
    """Spells a value as spell in container_test.go does."""
    if v is None or v is True or v is False:
        return str(v)
    if isinstance(v, np.generic):
        return spell(np.asarray(v))
    if isinstance(v, int):
        return str(v)
    if isinstance(v, float):
        return bits(v)
    if isinstance(v, str):
        return "s" + v.encode().hex()
    if isinstance(v, (bytes, bytearray)):
        return "b" + v.hex()
    if isinstance(v, (set, frozenset)):
        return type(v).__name__ + "[" + " ".join(sorted(map(spell, v))) + "]"
    if isinstance(v, (list, tuple)):
        return type(v).__name__ + "[" + " ".join(map(spell, v)) + "]"
    if isinstance(v, Bunch):
        return name(Bunch) + pairs(v)
    if isinstance(v, dict):
        return pairs(v)
    if isinstance(v, np.ndarray):
        return "array" + spell(list(v.shape)).removeprefix("list") + elements(v)
    if isinstance(v, slice):
        return "builtins.slice" + spell((v.start, v.stop, v.step))
    if isinstance(v, np.dtype):
        return "dtype" + v.str
    if isinstance(v, functools.partial):
        return "functools.partial" + spell((v.func,)) + spell(v.__reduce__()[2])
    if isinstance(v, type) or callable(v):
        return name(v)
    if type(v).__name__ == "Tree":
        return name(type(v)) + spell(v.__reduce__()[1]) + pairs(v.__getstate__())
    if hasattr(v, "__getstate__"):
        return name(type(v)) + pairs(v.__getstate__())
    raise TypeError(type(v))


def bits(x):
    return "f" + (struct.pack(">d", x).hex() if x == x else "nan")


def name(v):
    module = getattr(v, "__module__", None) or "numpy"
    return module.replace("numpy._core", "numpy.core") + "." + v.__name__


def pairs(d):
    return "{" + " ".join(spell(k) + "=" + spell(x) for k, x in d.items()) + "}"


def elements(a):
    """The elements in C order: integers, at most 2^63 - 1, or the bits of a double."""
    if a.dtype.names:
        return "".join(" " + n + "=" + elements(a[n]) for n in a.dtype.names)
    flat = a.ravel(order="C")
    if a.dtype.kind in "biu":
        return "[" + " ".join(str(min(int(x), 2**63 - 1)) for x in flat) + "]"
    if a.dtype.kind == "f":
        return "[" + " ".join(bits(float(x)) for x in flat) + "]"
    if a.dtype.kind == "S":
        return "[" + " ".join(spell(decode(bytes(x))) for x in flat) + "]"
    return "[" + " ".join(spell(x if a.dtype.kind == "O" else str(x)) for x in flat) + "]"


def decode(b):
    try:
        return b.decode()
    except UnicodeDecodeError:
        return b.decode("latin1")


def write(file, data):
    with open(os.path.join(folder, file), "wb") as f:
        f.write(data)


class NoTell(io.BytesIO):
    """A file that does not know its position: joblib then writes arrays as it did
    before version 1.2."""

    def tell(self):
        raise io.UnsupportedOperation()


def main():
    os.makedirs(folder, exist_ok=True)
    v = values()
    for protocol in range(6):
        write(f"protocol{protocol}.pkl", pickle.dumps(v, protocol=protocol))
    for protocol in 0, 2, 4, 5:
        out = io.BytesIO()
        joblib.dump(v, out, protocol=protocol)
        write(f"protocol{protocol}.joblib", out.getvalue())
    write("python.pkl", pickle._dumps(v, protocol=4))
    out = NoTell()
    joblib.dump(v, out)
    write("unaligned.joblib", out.getvalue())
    for method in "zlib gzip bz2 xz lzma lz4".split():
        joblib.dump(v, os.path.join(folder, f"{method}.joblib"), compress=(method, 3))
    del v["many"]  # a node for each number
    skops.io.dump(v, os.path.join(folder, "stored.skops"))
    skops.io.dump(v, os.path.join(folder, "deflated.skops"), compression=zipfile.ZIP_DEFLATED)
    with open(os.path.join(folder, "values.txt"), "w") as f:
        for key, x in values().items():
            f.write(key + " " + spell(x) + "\n")


main()
