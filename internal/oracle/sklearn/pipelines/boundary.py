"""Rows that others never try: raw values at which a number that the pipeline
computes from them crosses a threshold of a tree, found by bisection through the
fitted steps themselves, and values that are odd in other ways.
"""
import json

import numpy as np

FLOAT32 = np.finfo(np.float32)


class Place:
    """Where an estimator stands: what it sees of raw rows, and its thresholds."""

    def __init__(self, see, thresholds, single):
        self.see, self.thresholds, self.single = see, thresholds, single

    def low(self, raw, columns, thresholds):
        """Reports which values of raw[i] in columns[i] go left."""
        v = self.see(raw)[np.arange(len(raw)), columns]
        if self.single:
            with np.errstate(over="ignore"):
                v = v.astype(np.float32)
        with np.errstate(invalid="ignore"):
            return v.astype(np.float64) <= thresholds


def dense(x):
    x = x.toarray() if hasattr(x, "toarray") else x
    return np.asarray(x, dtype=np.float32 if getattr(x, "dtype", None) == np.float32 else np.float64)


def splits(tree):
    t = tree.tree_
    inner = t.children_left != -1
    return list(zip(t.feature[inner].tolist(), t.threshold[inner].tolist()))


def places(e, see):
    """Yields the places of e and of what it consists of; see is what e is given for raw rows."""
    name = type(e).__name__
    if name == "Pipeline":
        yield from places(e.steps[-1][1], (lambda raw: e[:-1].transform(see(raw))) if len(e.steps) > 1 else see)
    elif name == "GridSearchCV":
        yield from places(e.best_estimator_, see)
    elif hasattr(e, "tree_"):
        yield Place(lambda raw: dense(see(raw)), splits(e), True)
    elif hasattr(e, "_predictors"):
        yield hist(e, see)
    elif hasattr(e, "get_booster"):
        yield Place(lambda raw: dense(see(raw)), list(gradient(e.get_booster())), True)
    elif hasattr(e, "estimators_features_"):
        for member, features in zip(e.estimators_, e.estimators_features_):
            yield from places(member, lambda raw, f=features: dense(see(raw))[:, f])
    elif hasattr(e, "estimators_"):
        members = np.ravel(np.array(e.estimators_, dtype=object))
        trees = [s for m in members if hasattr(m, "tree_") for s in splits(m)]
        if trees:
            yield Place(lambda raw: dense(see(raw)), trees, True)
        for m in members:
            if not hasattr(m, "tree_"):
                yield from places(m, see)
    elif hasattr(e, "coef_"):
        yield Place(lambda raw: dense(see(raw)), None, False)


def hist(e, see):
    prepare = getattr(e, "_preprocess_X", None)
    nodes = [n for stage in e._predictors for p in stage for n in p.nodes if not n["is_leaf"] and not n["is_categorical"]]
    return Place((lambda raw: dense(prepare(see(raw), reset=False))) if prepare else (lambda raw: dense(see(raw))),
                 [(int(n["feature_idx"]), float(n["num_threshold"])) for n in nodes], False)


def gradient(booster):
    """Yields the splits of XGBoost, which sends equal values right."""
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]
    for t in model["trees"]:
        for feature, threshold, left in zip(t["split_indices"], t["split_conditions"], t["left_children"]):
            if left != -1:
                yield feature, float(np.nextafter(np.float32(threshold), np.float32(-np.inf)))


def ordered(x):
    """Maps float64 values to integers in the same order."""
    bits = np.ascontiguousarray(x, dtype=np.float64).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def number(key):
    key = np.asarray(key, dtype=np.int64)
    return np.where(key < 0, np.int64(-(2**63)) - key, key).view(np.float64)


class Search:
    """Looks for raw values at thresholds of a place."""

    def __init__(self, d, table, raw, place):
        self.d, self.table, self.raw, self.place = d, table, raw, place

    def rows(self, count):
        """Returns at most some rows for each of count thresholds."""
        columns, thresholds = self.choose(count)
        if len(columns) == 0:
            return self.raw[:0]
        found = [self.bracket(j, columns, thresholds) for j, c in enumerate(self.table.columns) if not c.words and not c.integer and c.kind != "empty"]
        found = [f for f in found if len(f[0])]
        together = [np.concatenate(parts) for parts in zip(*found)]
        try:
            return self.around(*self.bisect(*together, columns, thresholds)) if found else self.raw[:0]
        except ValueError:  # an encoder of numbers refuses others
            return np.concatenate([self.raw[:0]] + [self.alone(f, columns, thresholds) for f in found])

    def alone(self, found, columns, thresholds):
        """Searches in one feature, if values between those of the rows are taken."""
        try:
            return self.around(*self.bisect(*found, columns, thresholds))
        except ValueError:
            return self.raw[:0]

    def choose(self, count):
        """Returns columns of the place and thresholds in them."""
        tests = self.place.thresholds
        if tests is None:  # of a linear model: between values that rows have
            seen = self.place.see(self.raw[:60])
            tests = []
            for c in range(seen.shape[1]):
                v = np.unique(seen[:, c][np.isfinite(seen[:, c])]).astype(float)
                tests += [(c, (a + b) / 2) for a, b in zip(v[:-1], v[1:])]
        tests = [t for t in tests if np.isfinite(t[1])]
        tests = [tests[i] for i in self.d.rng.permutation(len(tests))[:count]]
        return np.array([t[0] for t in tests], dtype=int), np.array([t[1] for t in tests])

    def bracket(self, j, columns, thresholds):
        """Finds neighbours among values of feature j that are on both sides."""
        v = np.unique(self.raw[:, j][np.isfinite(self.raw[:, j])])
        v = v[np.unique(np.linspace(0, len(v) - 1, 24).astype(int))]
        base = self.d.int(0, len(self.raw) - 1)
        for grid in np.unique(np.concatenate([v, [v[0] - 1, v[-1] + 1, 2 * v[0], 2 * v[-1], 0]])), v:
            rows = np.repeat(self.raw[base:base + 1], len(grid), axis=0)
            rows[:, j] = grid
            try:
                seen = self.place.see(rows)
                break
            except ValueError:  # a step refuses some of the values
                seen = np.zeros((len(grid), max(columns) + 1))
        low = np.stack([self.sides(seen[:, c], t) for c, t in zip(columns, thresholds)])
        test, at = np.nonzero(low[:, 1:] != low[:, :-1])
        _, first = np.unique(test, return_index=True)  # one bracket for each threshold
        test, at = test[first], at[first]
        return [np.full(len(test), base), np.full(len(test), j), test, grid[at], grid[at + 1]]

    def sides(self, v, threshold):
        with np.errstate(over="ignore", invalid="ignore"):
            return (v.astype(np.float32) if self.place.single else v).astype(np.float64) <= threshold

    def bisect(self, base, feature, test, low, high, columns, thresholds):
        """Narrows each interval to two neighbouring numbers, 16 times at a step."""
        n, parts = len(base), 16
        columns, thresholds, low, high = columns[test], thresholds[test], ordered(low), ordered(high)
        first = self.place.low(self.with_values(base, feature, number(low)), columns, thresholds)
        rows, features, columns, thresholds = (np.repeat(v, parts - 1, axis=0) for v in (self.raw[base], feature, columns, thresholds))
        while True:
            wide = high.astype(np.uint64) - low.astype(np.uint64)
            if (wide <= 1).all():
                return base, feature, low, high
            step = np.arange(1, parts, dtype=np.uint64)[None, :]
            step = np.where(wide[:, None] >= parts, step * (wide[:, None] // np.uint64(parts)), np.minimum(step, wide[:, None]))
            keys = (low[:, None].astype(np.uint64) + step).astype(np.int64)
            rows[np.arange(len(rows)), features] = number(keys.ravel())
            side = self.place.low(rows, columns, thresholds).reshape(n, parts - 1) == first[:, None]
            beyond = np.where(side.all(axis=1), parts - 1, side.argmin(axis=1))  # the first probe on the other side
            keys = np.concatenate([low[:, None], keys, high[:, None]], axis=1)
            low, high = keys[np.arange(n), beyond], keys[np.arange(n), beyond + 1]

    def with_values(self, base, feature, values):
        rows = self.raw[base].copy()
        rows[np.arange(len(rows)), feature] = values
        return rows

    def around(self, base, feature, low, high):
        """Returns rows at both sides of each switch, and a little further."""
        far = np.int64(self.d.int(2, 5))
        values = [number(low), number(high), number(low - 1), number(high + 1), number(low - far), number(high + far)]
        with np.errstate(over="ignore"):
            near = number(high).astype(np.float32)
        values += [near.astype(np.float64), np.nextafter(near, np.float32(-np.inf)).astype(np.float64)]
        return np.concatenate([self.with_values(base, feature, v) for v in values])


ODD = [np.nan, 0.0, -0.0, np.inf, -np.inf, 1e300, -1e300, 3.4e38, -3.4e38, 3.5e38, 5e-324, -1e-45, 1e-50, -1.0, 2.0**31, 16777217.0, 255.0, 256.0]


def odd(d, table, raw):
    """Returns rows with one odd value each, in groups of one kind."""
    for value in ODD:
        rows = []
        for j in d.shuffle(range(len(table.columns)))[:2]:
            c = table.columns[j]
            if c.words and value == value or c.integer and not float(value).is_integer() or c.integer and abs(value) > 2**53:
                continue
            row = raw[d.int(0, len(raw) - 1)].copy()
            row[j] = value
            rows.append(row)
        if rows:
            yield table.round(np.array(rows))
    for j, c in enumerate(table.columns):
        if c.words:
            rows = raw[d.rng.integers(0, len(raw), len(c.words))].copy()
            rows[:, j] = np.arange(len(c.words))
            yield rows[: c.known]
            yield rows[c.known:]
        elif c.integer:
            v = np.unique(raw[:, j])
            rows = raw[d.rng.integers(0, len(raw), 2)].copy()
            rows[:, j] = [v[0] - 1, v[-1] + 1]
            yield rows
