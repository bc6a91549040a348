"""Has XGBoost score rows with model files that hew wrote: score.py DIR

For each line of DIR/models.txt, the name of a model file in DIR, it reads the rows from
NAME.rows.npy and writes NAME.margin.npy, NAME.leaf.npy if there are trees, and
NAME.inplace.npy if the booster is gbtree, all float32.
"""
import json
import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"  # threads that wait for each other take longer on a busy machine

import numpy as np
import xgboost


def predict(booster, rows, **options):
    """Returns what predict says.

    A DMatrix refuses infinities unless the value that stands for missing is one. So
    rows with +inf are scored while -inf is missing, and those with -inf while +inf is;
    there are none with both.
    """
    low = np.isneginf(rows).any(axis=1)
    out = None
    for select, missing in (low, np.inf), (~low, -np.inf):
        if select.any():
            d = xgboost.DMatrix(rows[select], missing=missing, feature_names=booster.feature_names,
                                feature_types=booster.feature_types, enable_categorical=True)
            v = booster.predict(d, **options)
            if out is None:
                out = np.empty((len(low),) + v.shape[1:], np.float32)
            out[select] = v
    return out


def main(folder):
    with open(os.path.join(folder, "models.txt")) as f:
        names = f.read().split()
    for name in names:
        path = os.path.join(folder, name)
        booster = xgboost.Booster({"nthread": 1}, model_file=path)
        rows = np.load(path + ".rows.npy")
        kind = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
        np.save(path + ".margin.npy", predict(booster, rows, output_margin=True))
        if kind == "gbtree":
            np.save(path + ".inplace.npy", booster.inplace_predict(rows, predict_type="margin", validate_features=False))
            if booster.num_boosted_rounds() > 0:
                np.save(path + ".leaf.npy", predict(booster, rows, pred_leaf=True))


main(*sys.argv[1:])
