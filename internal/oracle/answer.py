"""Has XGBoost score the rows that were made from its models: answer.py DIR

For each model of DIR/models.json it reads N.rows.npy and N.base.npy (a base
margin for each row) and writes N.WHAT.npy, all float32.
"""
import json
import os
import sys

import numpy as np
import xgboost


class Answers:
    """The answers of one model about some rows."""

    def __init__(self, prefix, number):
        self.prefix = prefix
        self.booster = xgboost.Booster({"nthread": 1}, model_file=prefix + (".json" if number % 2 else ".ubj"))
        self.kind = json.loads(self.booster.save_config())["learner"]["gradient_booster"]["name"]
        self.rows = np.load(prefix + ".rows.npy")
        self.base = np.load(prefix + ".base.npy")

    def save(self, part):
        self.put("margin", output_margin=True)
        self.put("predict")
        self.put("margin-from-base", self.base, output_margin=True)
        self.put("predict-from-base", self.base)
        if self.kind != "gblinear" and self.booster.num_boosted_rounds() > 0:
            self.put("leaf", pred_leaf=True)
            self.put("margin-of-part", output_margin=True, iteration_range=part)
        if self.kind == "gbtree":  # dart takes last bits from another order here, gblinear takes nothing
            margin = self.booster.inplace_predict(self.rows, predict_type="margin", validate_features=False)
            self.write("margin-inplace", margin)

    def put(self, what, base=None, **options):
        """Writes what predict says.

        A DMatrix refuses infinities unless the value that stands for missing is
        one. So rows with +inf are scored while -inf is missing, and those with -inf
        while +inf is; there are none with both.
        """
        low = np.isneginf(self.rows).any(axis=1)
        out = None
        for select, missing in (low, np.inf), (~low, -np.inf):
            if select.any():
                d = xgboost.DMatrix(
                    self.rows[select], base_margin=None if base is None else base[select], missing=missing,
                    feature_names=self.booster.feature_names, feature_types=self.booster.feature_types, enable_categorical=True)
                v = self.booster.predict(d, **options)
                if out is None:
                    out = np.empty((len(low),) + v.shape[1:], v.dtype)
                out[select] = v
        self.write(what, out)

    def write(self, what, values):
        values = np.ascontiguousarray(values)
        assert values.dtype == np.float32, values.dtype
        np.save("%s.%s.npy" % (self.prefix, what), values)


def main(folder):
    with open(os.path.join(folder, "models.json")) as f:
        models = json.load(f)["models"]
    for i, model in enumerate(models):
        prefix = os.path.join(folder, str(i))
        if os.path.exists(prefix + ".rows.npy"):  # else hew could not read it
            Answers(prefix, i).save(tuple(model["part"]))


main(*sys.argv[1:])
