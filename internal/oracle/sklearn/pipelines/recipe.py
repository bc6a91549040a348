"""Random models: a table, a target, preprocessing and an estimator."""
import numpy as np
from sklearn.pipeline import Pipeline

import boundary
import estimators
import steps
from table import Draw, Table

CLASSES = [[0, 1], [-1, 1], [False, True], ["no", "yes"], [1.0, 2.0], [2, 4, 9], ["a", "größe", "z 3"], [0, 1, 2, 3], [-1.0, 0.0, 2.0, 5.0, 7.0],
           ["c%02d" % i for i in range(9)], list(range(10))]


class Target:
    """What to learn."""

    def __init__(self, d, kind, family, signal):
        self.d, self.kind, self.classes, self.positive = d, kind, None, False
        self.outputs = d.int(2, 3) if family.outputs > 1 and d.chance(0.3) else 1
        self.several = self.mixed = False
        self.categorical = None
        if kind == "class":
            self.classes = d.pick(*CLASSES) if family.name != "xgboost" else list(range(d.int(2, 5)))
            self.several = len(self.classes) > 2
        elif kind == "real":
            self.positive = d.chance(0.4)
        y = [self.draw(signal) for _ in range(self.outputs)]
        self.y = np.stack(y, axis=1) if self.outputs > 1 else y[0]

    def draw(self, signal):
        d = self.d
        z = signal * d.rng.normal() + d.rng.normal(size=len(signal)) * 0.3
        if self.kind == "class":
            classes = self.classes if self.outputs == 1 else d.pick(*[c for c in CLASSES if type(c[0]) is type(self.classes[0])])
            cuts = np.sort(d.rng.random(len(classes) - 1)) if d.chance(0.5) else np.arange(1, len(classes)) / len(classes)
            return np.array(classes)[np.digitize(z, np.quantile(z, cuts))]
        if self.positive:
            return np.exp(z) if d.chance(0.5) else d.rng.poisson(np.exp(z)).astype(float) + 0.5
        return z * 10.0 ** d.int(-3, 3)

    def inner(self):
        """Returns the target of a member, which sees other labels and columns."""
        t = Target.__new__(Target)
        t.__dict__.update(self.__dict__, categorical=None, mixed=True)
        t.classes = None
        return t


class Recipe:
    """Everything that is drawn for one model."""

    def __init__(self, *seed):
        d = self.d = Draw(*seed)
        self.family = estimators.FAMILIES[seed[1] % len(estimators.FAMILIES)]
        self.table = Table(d)
        self.raw = self.table.sample(d.int(60, 260))
        t = self.target = Target(d, d.pick(*self.family.tasks), self.family, self.table.signal(self.raw))
        t.width = len(self.table.columns)
        native = self.family.name == "hist" and d.chance(0.5) and self.categorical()
        whole = not self.family.takes_nan() or d.chance(0.3)
        before = [] if native else steps.preparation(d, self.table, t.kind, whole)
        t.mixed = bool(before)
        e = estimators.searched(d, self.family.make(d, t)) if t.kind != "outlier" else self.family.make(d, t)
        self.model = e
        if before or d.chance(0.1):
            self.model = Pipeline([("p%d" % i, s) for i, s in enumerate(before)] + [("model", e)])

    def categorical(self):
        """Has HistGradientBoosting take categories itself, if there are some."""
        d, columns, t = self.d, self.table.columns, self.target
        places = [j for j, c in enumerate(columns) if c.words or c.kind in ("count", "code", "flag")]
        if not places:
            return not self.table.texts
        if self.table.frame and estimators.VERSION >= (1, 4) and d.chance(0.4):
            for c in columns:
                c.dtype = "category"
            t.categorical = "from_dtype"
        elif self.table.frame and d.chance(0.5):
            t.categorical = [columns[j].name for j in places]
        else:
            t.categorical = d.pick(places, [j in places for j in range(len(columns))])
        return True

    def fit(self):
        x = self.table.make(self.raw)
        self.model.fit(x) if self.target.kind == "outlier" else self.model.fit(x, self.target.y)

    def rows(self):
        """Returns rows that the model answers and some that it refuses."""
        d, table = self.d, self.table
        raw = [self.raw[d.rng.permutation(len(self.raw))[:60]], table.sample(60)]
        spots = list(boundary.places(self.model, table.make))
        for i in d.shuffle(range(len(spots)))[:3]:
            raw.append(boundary.Search(d, table, self.raw, spots[i]).rows(24 // min(3, len(spots))))
        groups = [table.round(np.concatenate(raw))] + list(boundary.odd(d, table, self.raw))
        taken, refused = [], []
        for rows in groups:
            if self.takes(rows):
                taken.append(rows)
                continue
            for row in np.split(rows, len(rows)):
                (taken if self.takes(row) else refused).append(row)
        return np.concatenate(taken), np.concatenate(refused) if refused else self.raw[:0]

    def takes(self, rows):
        try:
            self.model.predict(self.table.make(rows))
        except (ValueError, TypeError):
            return False
        return True
