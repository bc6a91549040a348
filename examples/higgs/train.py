"""Train a model of 500 trees on Higgs data, and write the rows that `hew tune` needs.

Needs xgboost and numpy. Writes, beside this file: higgs.ubj; fit.csv, rows that the
model was not trained on and that passes may be fitted to; valid.csv, rows to judge by.
"""

import pathlib

import numpy as np
import xgboost as xgb

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "data"


def read(name):
    table = np.loadtxt(DATA / name, delimiter="\t", dtype=np.float32)
    return table[:, 1:], table[:, 0].astype(int)


def write(name, X, y):
    header = ",".join([f"f{i}" for i in range(X.shape[1])] + ["label"])
    # A float32 in nine digits comes back with the same bits.
    np.savetxt(HERE / name, np.column_stack([X, y]), delimiter=",", header=header, comments="", fmt=["%.9g"] * X.shape[1] + ["%d"])


X, y = read("higgs.train.tsv.gz")
X_valid, y_valid = read("higgs.test.tsv.gz")
X_valid, y_valid = np.vstack([X_valid, X[6000:]]), np.concatenate([y_valid, y[6000:]])
train, fit = slice(0, 5000), slice(5000, 6000)

params = dict(objective="binary:logistic", max_depth=6, eta=0.02, subsample=0.8, colsample_bytree=0.8, min_child_weight=5, seed=1)
names = [f"f{i}" for i in range(X.shape[1])]
booster = xgb.train(params, xgb.DMatrix(X[train], y[train], feature_names=names), 500)
booster.save_model(HERE / "higgs.ubj")
write("fit.csv", X[fit], y[fit])
write("valid.csv", X_valid, y_valid)
print("logloss on valid.csv:", booster.eval(xgb.DMatrix(X_valid, y_valid, feature_names=names)))
