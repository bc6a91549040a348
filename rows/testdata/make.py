"""Makes the files of this folder: python make.py, with pandas 3.1.1, pyarrow 26.0.1 and numpy 2.4.6.

frame.*   one pandas data frame as CSV, JSON lines and Parquet, and in frame.npy
          what a model gets of it: float32, NaN for missing, codes for categories
dtype-*   the same 3 x 2 numbers in NumPy's types and orders
"""
import numpy as np
import pandas as pd

f4 = np.array([1.5, -0.0, 1e-45, 3.4028235e38, np.nan, 7.038531e-26], np.float32)
# Two of these lie next to the middle of two float32.
f8 = np.array([0.1, 1 + 2.0**-24 + 2.0**-52, 1 + 3 * 2.0**-24 - 2.0**-52, 1e39, np.nan, -1e-46])
i8 = np.array([0, -1, 2**24 + 1, 2**53 + 1, 2**31 + 2**7 + 1, 7], np.int64)
u8 = np.array([0, 1, 255, 256, 2**32 - 1, 2**63 + 2**40], np.uint64)
flag = np.array([True, False, True, True, False, False])
city = pd.Categorical(["Köln", "a,b", 'say "x"', None, "Köln", "NA"], categories=["NA", 'say "x"', "Köln", "a,b"])
band = pd.Categorical([80, None, 120, 80, 120, 200], categories=[120, 80, 200])
maybe = pd.array([1, None, 3, None, 5, 6], dtype="Int32")
label = ["yes", "no", "yes", "no", "yes", "no"]
frame = pd.DataFrame(
    {"label": label, "f4": f4, "f8": f8, "i8": i8, "u8": u8, "flag": flag, "city": city, "band": band, "maybe": maybe},
    index=[10, 11, 12, 13, 14, 20],
)
frame.to_csv("frame.csv", index=False)
frame.to_parquet("frame.parquet")
# pandas writes JSON numbers with 15 digits at most, which are not enough.
frame.drop(columns=["f4", "f8"]).to_json("frame.jsonl", orient="records", lines=True)


def codes(c):
    return np.where(c.codes < 0, np.nan, c.codes)


x = [f4, f8, i8, u8, flag, codes(city), codes(band), maybe.to_numpy(dtype=np.float64, na_value=np.nan)]
with np.errstate(over="ignore"):
    np.save("frame.npy", np.stack([c.astype(np.float32) for c in x], axis=1))

base = np.array([[1, 0], [2, 100], [0, 3]])
for name in ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", ">f4", ">f8", ">i2"]:
    np.save("dtype-%s.npy" % name.replace(">", "big-"), base.astype(name))
np.save("dtype-f4-fortran.npy", np.asfortranarray(base.astype("f4")))
np.save("dtype-f8-middle.npy", np.array([1 + 2.0**-24, 1 + 3 * 2.0**-24]))
np.save("dtype-f2.npy", base.astype("f2"))
