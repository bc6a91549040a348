"""What a fitted object says about rows, and how exactly it can be repeated.

Everything but dot products is repeatable by bits: sums over trees have one order,
and NumPy's curves are the C library's, since __main__ switches its vector units
off. A dot product is BLAS's, which adds in an order that depends on the processor.
So numbers behind a linear model come with a bound, that of the rounding errors of
any order of addition, carried through what follows.
"""
import numpy as np

EPS = 2.0**-53
EPS32 = 2.0**-24  # a linear model that was trained on float32 rows computes in float32


def final(e):
    """Returns the estimator at the end of pipelines, and the steps before it."""
    if type(e).__name__ == "GridSearchCV":
        return final(e.best_estimator_)
    if type(e).__name__ == "Pipeline":
        last, inner = final(e.steps[-1][1])
        return last, ([e[:-1]] if len(e.steps) > 1 else []) + inner
    return e, []


def ask(e, x):
    """Returns the answers by the names that hew has for them, and labels.

    A label is told as its index among the classes, which labels has, one list for
    each output.
    """
    out, labels = {}, None
    last, before = final(e)
    if type(last).__module__.startswith("xgboost"):
        return margin(last, before, x)
    y = e.predict(x)
    classes = np.array([-1, 1]) if type(last).__name__ == "IsolationForest" else getattr(last, "classes_", None)
    if classes is None:
        out["predict"] = y
    else:
        labels = classes if isinstance(classes, list) else [classes]
        columns = np.asarray(y).reshape(len(y), len(labels))
        out["label"] = np.stack([index(c, columns[:, k]) for k, c in enumerate(labels)], axis=1)
    if hasattr(e, "predict_proba"):
        p = e.predict_proba(x)
        if isinstance(p, list):
            out.update({"proba_%d" % k: v for k, v in enumerate(p)})
            out["proba"] = np.concatenate(p, axis=1)
        else:
            out["proba"] = p
    if hasattr(e, "decision_function"):
        out["decision"] = e.decision_function(x)
    if hasattr(e, "score_samples"):
        out["score"] = e.score_samples(x)
    if hasattr(last, "apply"):
        for steps in before:
            x = steps.transform(x)
        out["leaf"] = last.apply(x)
    return {k: np.asarray(v, dtype=np.float64).reshape(len(y), -1) for k, v in out.items()}, labels


def margin(last, before, x):
    """Returns the answer of XGBoost's wrapper before the link, which is the model
    file's own and not scikit-learn's."""
    for steps in before:
        x = steps.transform(x)
    v = last.predict(x, output_margin=True)
    return {"margin": np.asarray(v, dtype=np.float64).reshape(len(v), -1)}, None


def index(classes, values):
    where = {v: i for i, v in enumerate(classes.tolist())}
    return np.array([where[v] for v in values.tolist()])


class Bound:
    """How far a row's values may be from the exact ones: raw is the decision or
    the prediction, proba the probabilities, label whether it may be another one.
    """

    def __init__(self, n):
        self.raw, self.proba, self.label = np.zeros(n), np.zeros(n), np.zeros(n, bool)

    def __or__(self, other):
        b = Bound(0)
        b.raw, b.proba, b.label = np.maximum(self.raw, other.raw), np.maximum(self.proba, other.proba), self.label | other.label
        return b

    def __bool__(self):
        return bool(self.raw.any() or self.proba.any() or self.label.any())

    def of(self, name):
        if name in ("predict", "decision"):
            return self.raw
        return self.label.astype(float) if name == "label" else self.proba


def bound(e, x):
    """Returns the bound of what e says about x."""
    name, n = type(e).__name__, len(x) if not hasattr(x, "tocsr") else x.shape[0]
    if name == "GridSearchCV":
        return bound(e.best_estimator_, x)
    if name == "Pipeline":
        return bound(e.steps[-1][1], e[:-1].transform(x) if len(e.steps) > 1 else x)
    if hasattr(e, "coef_"):
        return linear(e, np.zeros(n), x)
    if name.startswith("Stacking"):
        return stacking(e, x)
    if name.startswith(("Voting", "Bagging")):
        return together(e, x)
    return Bound(n)


def linear(e, given, x):
    """Of a linear model whose inputs are off by as much as given, row by row."""
    from boundary import dense
    v, w = np.abs(dense(x)), np.abs(np.atleast_2d(e.coef_))
    eps = EPS32 if np.float32 in (v.dtype, w.dtype) else EPS
    b = Bound(len(v))
    size = (v.astype(np.float64) @ w.T + np.abs(np.atleast_1d(e.intercept_))).max(axis=1)
    if eps == EPS32:
        size = np.where(size > np.finfo(np.float32).max / 4, np.inf, size)  # it may overflow
    b.raw = 4 * (v.shape[1] + 2) * eps * size + given * w.sum(axis=1).max() * 2
    b.proba = 4 * b.raw + 16 * eps
    if hasattr(e, "classes_"):
        b.label = doubt(e.decision_function(x), b.raw)
    return b


def doubt(values, bound):
    """Reports the rows whose largest value is in doubt."""
    if values.ndim == 1:
        return np.abs(values) <= bound
    top = np.sort(values, axis=1)
    return top[:, -1] - top[:, -2] <= 2 * bound


def together(e, x):
    """Of members whose answers are added up."""
    from boundary import dense
    features = getattr(e, "estimators_features_", None)
    b = Bound(x.shape[0])
    for i, m in enumerate(e.estimators_):
        b |= bound(m, x if features is None else dense(x)[:, features[i]])
    if not b:
        return b
    votes = getattr(e, "voting", "") == "hard" or not all(hasattr(m, "predict_proba") for m in e.estimators_)
    if hasattr(e, "classes_") and votes:
        b.proba = np.where(b.label, np.inf, 0)
    elif hasattr(e, "classes_"):
        b.proba += 16 * EPS
        b.label = doubt(e.predict_proba(x), b.proba)
    b.raw += 16 * EPS * (1 if hasattr(e, "classes_") else np.abs(e.predict(x)))
    return b


def stacking(e, x):
    given = np.zeros(x.shape[0])
    methods = e.stack_method_
    methods = list(methods.values()) if isinstance(methods, dict) else [m for m in methods if m]
    for m, method in zip(e.estimators_, methods):
        b = bound(m, x)
        which = {"predict_proba": b.proba, "decision_function": b.raw}.get(method, b.raw)
        if method == "predict" and hasattr(e, "classes_"):
            which = np.where(b.label, np.inf, 0)
        given = np.maximum(given, which)
    return linear(e.final_estimator_, given, e.transform(x))
