"""Trains random XGBoost models: train.py DIR MODELS SEED

Writes model N as DIR/N.json and DIR/N.ubj, and DIR/models.json, which says for
each what it was made of. The same arguments give the same models on the same
processor. Options that a version does not know are left out, so that any
version from 1.7 on can be asked.
"""
import json
import os
import sys

import numpy as np
import xgboost

VERSION = tuple(int(v) for v in xgboost.__version__.split(".")[:2])

NEVER = (99, 0)

# Each objective: the version that brought it, what its labels are, the space of
# its base score, and the version from which labels can have several columns.
OBJECTIVES = {
    "reg:squarederror": ((1, 0), "real", "margin", (1, 6)),
    "reg:squaredlogerror": ((1, 0), "positive", "margin", (1, 6)),
    "reg:pseudohubererror": ((1, 0), "real", "margin", (1, 6)),
    "reg:absoluteerror": ((1, 7), "real", "margin", (2, 0)),
    "reg:quantileerror": ((2, 0), "real", "margin", NEVER),
    "reg:expectileerror": ((3, 3), "real", "margin", NEVER),
    "reg:logistic": ((1, 0), "unit", "probability", (1, 6)),
    "binary:logistic": ((1, 0), "binary", "probability", (1, 6)),
    "binary:logitraw": ((1, 0), "binary", "margin", (1, 6)),
    "binary:hinge": ((1, 0), "binary", "margin", (2, 0)),
    "multi:softmax": ((1, 0), "class", "margin", NEVER),
    "multi:softprob": ((1, 0), "class", "margin", NEVER),
    "count:poisson": ((1, 0), "count", "positive", (3, 2)),
    "reg:gamma": ((1, 0), "positive", "positive", (2, 0)),
    "reg:tweedie": ((1, 0), "count", "positive", (3, 2)),
    "survival:cox": ((1, 0), "time", "positive", NEVER),
    "survival:aft": ((1, 0), "interval", "positive", NEVER),
    "rank:ndcg": ((1, 0), "grade", "margin", NEVER),
    "rank:map": ((1, 0), "binary", "margin", NEVER),
    "rank:pairwise": ((1, 0), "grade", "margin", NEVER),
}
OBJECTIVES = {k: v for k, v in OBJECTIVES.items() if v[0] <= VERSION}

# These compute leaves anew after a tree has grown, which did not go together with
# everything from the start.
ADAPTIVE = "reg:absoluteerror", "reg:quantileerror"

NAMES = ["age", "a b", "größe", "日本語", 'quo"te', "back\\slash", "tab\tbed", "new\nline", "a/b", "f0", "x{}", "emoji 🌲", "ratio,%"]


class Recipe:
    """Everything that is drawn for one model."""

    def __init__(self, number, seed):
        self.rng = np.random.default_rng([seed, number])
        self.objective = list(OBJECTIVES)[number % len(OBJECTIVES)]
        self.booster = self.pick("gbtree", "gbtree", "gbtree", "gbtree", "gbtree", "dart", "dart", "gblinear")
        self.vectors = self.booster == "gbtree" and VERSION >= (2, 0) and self.chance(0.3)
        self.rows = int(self.rng.integers(120, 500))
        self.params = {"objective": self.objective, "booster": self.booster, "seed": number, "nthread": 1, "verbosity": 0}
        self.outputs = 1
        self.columns()
        self.labels()
        if self.booster != "gblinear":
            self.trees()
        if self.booster == "dart":
            self.dart()
        if self.booster == "gblinear":
            self.linear()
        self.base_score()
        self.rest()

    def pick(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def chance(self, p):
        return self.rng.random() < p

    def columns(self):
        """Draws the features and a signal in them."""
        rng, n = self.rng, self.rows
        width = int(rng.integers(1, len(NAMES) + 1))
        x, self.types = np.empty((n, width), np.float32), []
        self.signal = rng.normal(size=n) * 0.3
        kinds = ["float", "float", "coarse", "int", "i"]
        if self.booster != "gblinear":
            kinds += ["wide"] if self.vectors else ["wide", "c", "c"]
        for j in range(width):
            kind = self.pick(*kinds)
            if kind == "float":
                v = rng.normal(size=n)
            elif kind == "coarse":  # few values, both zeros among them
                v = np.round(rng.normal(size=n) * 2) / 2
            elif kind == "wide":
                v = rng.normal(size=n) * 10.0 ** rng.integers(-42, 38)
            elif kind == "int":
                v = rng.integers(-5, 20, n)
            elif kind == "i":
                v = rng.integers(0, 2, n)
            else:
                v = rng.integers(0, self.pick(2, 3, 5, 12, 33, 64, 100, 300), n)
            effect = rng.normal(size=300)[v] if kind == "c" else (v - v.mean()) / (v.std() or 1)
            self.signal += rng.normal() * effect
            x[:, j] = v
            self.types.append({"int": "int", "i": "i", "c": "c"}.get(kind) or self.pick("float", "q"))
        if self.chance(0.5):
            x[rng.random(x.shape) < self.pick(0.03, 0.2, 0.7)] = np.nan
        self.x = x
        self.names = [str(s) for s in rng.permutation(NAMES)[:width]] if self.chance(0.4) else None
        self.signal += np.sin(2 * self.signal)
        self.signal /= self.signal.std()

    def labels(self):
        """Draws what to learn, and so the number of outputs."""
        _, kind, _, several = OBJECTIVES[self.objective]
        self.y = self.label(kind)
        self.data = {}
        if VERSION >= several and (self.vectors or self.chance(0.3)):
            self.outputs = int(self.rng.integers(2, 5))
            self.y = np.stack([self.y] + [self.label(kind) for _ in range(self.outputs - 1)], axis=1)
        if kind == "class":
            self.outputs = self.params["num_class"] = int(self.y.max()) + 1
        if self.objective in ("reg:quantileerror", "reg:expectileerror"):
            self.outputs = self.pick(1, 3, 5, 20)
            self.params[self.objective[4:-5] + "_alpha"] = np.sort(self.rng.random(self.outputs)).round(3).tolist()
        if self.objective.startswith("rank:"):
            self.data["qid"] = np.sort(self.rng.integers(0, 12, self.rows))
        if self.objective == "reg:tweedie":
            self.params["tweedie_variance_power"] = self.pick(1.1, 1.5, 1.9)
        if self.objective == "survival:aft":
            self.params["aft_loss_distribution"] = self.pick("normal", "logistic", "extreme")
            self.data["label_lower_bound"] = self.y
            self.data["label_upper_bound"] = np.where(self.rng.random(self.rows) < 0.3, np.inf, self.y)
            self.y = None
        self.vectors &= self.outputs > 1 and (VERSION >= (3, 2) or self.objective not in ADAPTIVE)
        if self.vectors:
            self.params["multi_strategy"] = "multi_output_tree"

    def label(self, kind):
        rng, z = self.rng, self.signal + self.rng.normal(size=self.rows) * 0.2
        if kind == "real":
            return z * 10.0 ** rng.integers(-3, 4) + rng.normal() * 5
        if kind in ("positive", "interval"):
            return np.exp(z)
        if kind == "time":  # negative: censored
            return np.exp(z) * np.where(rng.random(self.rows) < 0.3, -1, 1)
        if kind == "count":
            return rng.poisson(np.exp(z))
        if kind == "unit":
            return 1 / (1 + np.exp(-2 * z))
        if kind == "binary":
            return z > np.quantile(z, self.pick(0.1, 0.5, 0.9))
        classes = 5 if kind == "grade" else self.pick(1, 2, 3, 4, 7, 20)
        return np.digitize(z, np.quantile(z, np.arange(1, classes) / classes))

    def trees(self):
        p, rng = self.params, self.rng
        p["tree_method"] = self.pick("hist", "hist", "approx", "exact")
        if self.vectors or p["tree_method"] == "exact" and "c" in self.types:
            p["tree_method"] = "hist"
        p["max_depth"] = int(rng.integers(1, 7))
        p["eta"] = self.pick(0.03, 0.3, 1)
        p["min_child_weight"] = self.pick(0, 0.1, 1, 10)
        p["lambda"], p["alpha"] = self.pick(0, 1, 10), self.pick(0, 0, 0.1)
        if self.chance(0.3):
            p["gamma"] = self.pick(0.01, 0.3, 3)
        if self.chance(0.3):
            p["subsample"], p["colsample_bytree"] = self.pick(0.5, 0.8), self.pick(0.5, 1)
        if self.chance(0.2):
            p["max_delta_step"] = self.pick(0.01, 0.5)
        adaptive = self.objective in ADAPTIVE and VERSION < (3, 2)
        if self.chance(0.2) and not adaptive:
            p["num_parallel_tree"] = int(rng.integers(2, 5))
        if p["tree_method"] != "exact":
            p["max_bin"] = self.pick(2, 8, 64, 256)
            if self.chance(0.3):
                p["grow_policy"], p["max_leaves"] = "lossguide", int(rng.integers(2, 30))
                p["max_depth"] = self.pick(0, 4)
        if not self.vectors and self.chance(0.2):
            p["monotone_constraints"] = tuple(0 if t == "c" else int(rng.integers(-1, 2)) for t in self.types)
        if not self.vectors and len(self.types) > 1 and self.chance(0.1):
            columns = list(range(len(self.types)))
            p["interaction_constraints"] = str([columns[0::2], columns[1::2]])
        if "c" in self.types:
            p["max_cat_to_onehot"], p["max_cat_threshold"] = self.pick(1, 4, 1000), self.pick(2, 64)

    def dart(self):
        self.params.update(rate_drop=self.pick(0.1, 0.5, 0.9), skip_drop=self.pick(0, 0.3), one_drop=self.pick(0, 1),
                           sample_type=self.pick("uniform", "weighted"), normalize_type=self.pick("tree", "forest"))

    def linear(self):
        self.params.update(updater=self.pick("coord_descent", "shotgun"), eta=self.pick(0.1, 0.5, 1))
        self.params.update({"lambda": self.pick(0, 0.1, 3), "alpha": self.pick(0, 0.01)})

    def base_score(self):
        if not self.chance(0.35):
            return
        draw = {"margin": lambda: self.rng.normal() * self.pick(1, 1000),
                "probability": lambda: self.rng.random(),
                "positive": lambda: np.exp(self.rng.normal())}[OBJECTIVES[self.objective][2]]
        if VERSION >= (3, 2) and OBJECTIVES[self.objective][2] == "probability" and self.chance(0.3):
            draw = lambda: self.pick(0, 1)  # clamped
        self.params["base_score"] = float(draw())
        if VERSION >= (3, 1) and self.outputs > 1 and self.chance(0.5):
            self.params["base_score"] = [float(draw()) for _ in range(self.outputs)]

    def rest(self):
        """Draws what has to do with the whole training run."""
        trees = self.params.get("num_parallel_tree", 1) * (1 if self.vectors else self.outputs)
        self.rounds = min(int(self.rng.integers(1, 13)), max(60 // trees, 1)) * (not self.chance(0.02))
        self.early_stopping = self.chance(0.15)
        choices = ["continue"] + ["slice"] * (not self.vectors or VERSION >= (3, 2))
        if not self.vectors and "monotone_constraints" not in self.params:
            choices += ["refresh", "prune"] * (self.booster == "gbtree" or VERSION < (3, 4))
        self.after = self.pick(*choices) if self.booster != "gblinear" and self.rounds > 1 and self.chance(0.2) else ""
        self.data["weight"] = None if self.objective.startswith("rank:") or self.chance(0.8) else self.rng.random(self.rows)
        self.data["base_margin"] = self.rng.normal(size=(self.rows, self.outputs)) if self.chance(0.1) else None

    def train(self):
        """Returns the booster, and whether it gives NaN."""
        types = self.types if self.names or "c" in self.types else None
        d = xgboost.DMatrix(self.x, self.y, feature_names=self.names, feature_types=types, enable_categorical=True, **self.data)
        stop = {"evals": [(d, "train")], "early_stopping_rounds": 2, "verbose_eval": False} if self.early_stopping else {}
        b = xgboost.train(self.params, d, self.rounds, **stop)
        rounds = b.num_boosted_rounds()
        again = {k: v for k, v in self.params.items() if k != "base_score"}  # one for all outputs is refused now
        if self.after == "slice":  # not with an open end, which loses the weights of a DART model
            b = b[rounds % 2 : rounds : 2] if rounds > 1 else b
        elif self.after == "continue":
            b = xgboost.train({**again, "num_parallel_tree": 2, "eta": 0.17}, d, 2, xgb_model=b)
        elif self.after:
            update = {"process_type": "update", "updater": self.after, "gamma": 0.5}
            b = xgboost.train({**again, **update}, d, rounds, xgb_model=b)
        return b, bool(np.isnan(b.predict(d, output_margin=True)).any())

    def told(self):
        """Returns all that was drawn, for reports."""
        more = {"rows": self.rows, "types": self.types, "rounds": self.rounds, "early_stopping": self.early_stopping,
                "after": self.after, "data": [k for k, v in self.data.items() if v is not None]}
        return {**self.params, **more}


def main(folder, models, seed):
    table = []
    for i in range(int(models)):
        recipe = Recipe(i, int(seed))
        try:
            b, diverged = recipe.train()
        except Exception as e:
            raise SystemExit("model %d: %s\n%s" % (i, json.dumps(recipe.told()), e))
        for form in "json", "ubj":
            b.save_model(os.path.join(folder, "%d.%s" % (i, form)))
        rounds = b.num_boosted_rounds()
        begin = int(recipe.rng.integers(0, rounds)) if rounds else 0
        end = int(recipe.rng.integers(begin, rounds)) + 1 if rounds else 0
        table.append({"recipe": recipe.told(), "names": recipe.names, "part": [begin, end], "diverged": diverged})
    with open(os.path.join(folder, "models.json"), "w") as f:
        json.dump({"version": xgboost.__version__, "cuda": xgboost.build_info()["USE_CUDA"], "models": table}, f)


main(*sys.argv[1:])
