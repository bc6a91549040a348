"""Train a model of 7 x 150 trees on Covertype data, and write the rows that `hew tune` needs.

Needs xgboost and numpy. Writes, beside this file: covertype.ubj; fit.csv, rows that the
model was not trained on and that passes may be fitted to; valid.csv, rows to judge by.
"""

import gzip
import pathlib

import numpy as np
import xgboost as xgb

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "data"

with gzip.open(DATA / "covtype10k.csv.gz", "rt") as f:
    names = f.readline().strip().split(",")[:-1]
    table = np.loadtxt(f, delimiter=",", dtype=np.float32)
table = table[np.random.default_rng(1).permutation(len(table))]
X, y = table[:, :-1], table[:, -1].astype(int) - 1  # classes are 0 to 6
train, fit, valid = slice(0, 6000), slice(6000, 7500), slice(7500, None)


def write(name, rows):
    np.savetxt(HERE / name, np.column_stack([X[rows], y[rows]]), delimiter=",", header=",".join(names + ["cover"]), comments="", fmt="%d")


params = dict(objective="multi:softprob", num_class=7, max_depth=8, eta=0.1, subsample=0.8, colsample_bytree=0.6, seed=1)
booster = xgb.train(params, xgb.DMatrix(X[train], y[train], feature_names=names), 150)
booster.save_model(HERE / "covertype.ubj")
write("fit.csv", fit)
write("valid.csv", valid)
print("logloss on valid.csv:", booster.eval(xgb.DMatrix(X[valid], y[valid], feature_names=names)))
