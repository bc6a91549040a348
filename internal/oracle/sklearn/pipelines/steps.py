"""Random preprocessing: what stands in front of an estimator.

No step mixes columns: each number that a step gives comes from one feature.
"""
import numpy as np
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, SelectPercentile, VarianceThreshold, f_classif, f_regression
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (Binarizer, FunctionTransformer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, OneHotEncoder,
                                   OrdinalEncoder, PowerTransformer, QuantileTransformer, RobustScaler, StandardScaler)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from estimators import VERSION, known


class Group:
    """What is known about the columns that a step sees."""

    def __init__(self, columns):
        self.columns = columns
        self.holes = any(c.holes for c in columns)
        self.empty = any(c.kind == "empty" for c in columns)
        self.text = any(c.words for c in columns)
        self.positive = all(c.kind == "positive" for c in columns)
        self.discrete = all(c.discrete for c in columns)


def impute(d, g):
    args = {"strategy": d.pick("mean", "median", "most_frequent", "constant")}
    if args["strategy"] == "constant" and d.chance(0.7):
        args["fill_value"] = d.pick(0, -1, 2.5, -999.0)
    if not g.holes and d.chance(0.5):
        args["missing_values"] = d.pick(0, 1, -1, 0.5)
    else:
        g.holes = False
    args["add_indicator"] = d.chance(0.3)
    if VERSION >= (1, 2):
        args["keep_empty_features"] = d.chance(0.4)
    g.positive = g.discrete = g.empty = False
    return SimpleImputer(**args)


def impute_texts(d, g):
    g.holes = False
    blank = next(c.blank for c in g.columns if c.words)
    return SimpleImputer(strategy=d.pick("most_frequent", "constant"), missing_values=blank, fill_value=None)


def scale(d, g):
    g.discrete = False
    kind = d.pick("standard", "standard", "minmax", "maxabs", "robust")
    g.positive &= kind == "maxabs"
    if kind == "standard":
        return StandardScaler(with_mean=d.chance(0.8), with_std=d.chance(0.8))
    if kind == "minmax":
        return MinMaxScaler(feature_range=d.pick((0, 1), (-1, 1), (0.25, 7)), clip=d.chance(0.4))
    if kind == "maxabs":
        return MaxAbsScaler()
    return RobustScaler(with_centering=d.chance(0.8), with_scaling=d.chance(0.8), quantile_range=d.pick((25.0, 75.0), (5.0, 95.0)),
                        unit_variance=d.chance(0.3))


def bend(d, g):
    """Returns a step that is a curve."""
    g.discrete = False
    kind = d.pick("power", "quantile", "function", "function")
    positive, g.positive = g.positive, False
    if kind == "power":
        method = d.pick("yeo-johnson", "box-cox") if positive else "yeo-johnson"
        return PowerTransformer(method=method, standardize=d.chance(0.7))
    if kind == "quantile":
        return QuantileTransformer(n_quantiles=d.pick(5, 20, 100), output_distribution=d.pick("uniform", "normal"), random_state=0)
    functions = [np.square, np.abs, np.cbrt, np.floor, np.ceil, np.rint, np.sign, np.negative, np.tanh, np.exp, np.expm1, None]
    if positive:
        functions = [np.log1p, np.log1p, np.sqrt, np.log, np.log2, np.log10, np.reciprocal]
    return FunctionTransformer(d.pick(*functions), validate=d.chance(0.2) and not g.holes)


def cut(d, g):
    """Returns a step with few values."""
    g.positive = g.discrete = False
    if d.chance(0.2):
        return Binarizer(threshold=d.pick(0.0, 0.5, 1))
    return known(KBinsDiscretizer, n_bins=d.pick(2, 3, 7), encode=d.pick("ordinal", "onehot", "onehot-dense"), subsample=None, random_state=0,
                 strategy=d.pick("uniform", "quantile", "kmeans"), quantile_method="averaged_inverted_cdf")


def select(d, g, task):
    g.discrete = False
    score = f_classif if task == "class" else f_regression
    tree = (DecisionTreeClassifier if task == "class" else DecisionTreeRegressor)(max_depth=3, random_state=0)
    return d.pick(VarianceThreshold(threshold=d.pick(0.0, 0.1)), SelectKBest(score, k=d.pick(1, 2, "all")),
                  SelectPercentile(score, percentile=d.pick(30, 80)), SelectFromModel(tree, threshold=d.pick("mean", "0.5*mean", None)),
                  RFE(tree, n_features_to_select=d.pick(1, 0.6)))


def encode(d, g):
    """Returns an encoder of categories."""
    g.positive = g.discrete = False
    infrequent = categories(d, g)
    if not infrequent and VERSION >= (1, 3) and d.chance(0.3):
        infrequent = d.pick({"min_frequency": 20}, {"min_frequency": 0.1}, {"max_categories": 3}, {"min_frequency": 5, "max_categories": 4})
    if d.chance(0.5):
        unknown = d.pick("error", "ignore", *["infrequent_if_exist"] * (VERSION >= (1, 1)), *["warn"] * (VERSION >= (1, 6)))
        drop = d.pick(None, None, "first", "if_binary")
        g.holes = False
        dense = "sparse_output" if VERSION >= (1, 2) else "sparse"
        return OneHotEncoder(handle_unknown=unknown, drop=drop, dtype=d.pick(np.float64, np.float64, np.float32),
                             **{dense: d.chance(0.5)}, **infrequent)
    args = {}
    if d.chance(0.7):
        args = {"handle_unknown": "use_encoded_value", "unknown_value": d.pick(-1, -1, np.nan, 99)}
        g.holes |= args["unknown_value"] != args["unknown_value"]
    if VERSION >= (1, 1) and g.holes and d.chance(0.5):
        args["encoded_missing_value"] = d.pick(-2, -5)
        g.holes = False
    return OrdinalEncoder(**args, **infrequent)


def categories(d, g):
    """Returns categories in an order of the user's, now and then."""
    if not all(c.words and c.known for c in g.columns) or g.holes or d.chance(0.8):
        return {}
    return {"categories": [np.array(d.shuffle(c.words[: c.known + 1]), dtype=object) for c in g.columns]}


def union(d, g, task):
    """Returns two steps side by side."""
    a, b = Group(g.columns), Group(g.columns)
    for h in a, b:
        h.holes, h.positive, h.empty = g.holes, g.positive, g.empty
    left = step(d, a, task)
    right = MissingIndicator(features=d.pick("all", "missing-only")) if g.holes and d.chance(0.6) else step(d, b, task)
    g.holes, g.positive, g.discrete = a.holes or b.holes, False, False
    weights = {"l": 0.3, "r": 2} if d.chance(0.3) else None
    return FeatureUnion([("l", left), ("r", right)], transformer_weights=weights)


def step(d, g, task):
    """Returns one step for numbers, and notes in g what comes out."""
    if g.empty:
        return impute(d, g)
    if g.discrete and d.chance(0.3):
        return encode(d, g)
    kind = d.pick("scale", "scale", "scale", "bend", "bend", "impute", "cut", "select")
    if kind == "impute" or g.holes and kind in ("cut", "select"):
        return impute(d, g)
    if kind == "cut":
        return cut(d, g)
    if kind == "select":
        return select(d, g, task)
    return bend(d, g) if kind == "bend" else scale(d, g)


def chain(d, g, task, whole):
    """Returns steps for the columns of g; whole: without NaN at the end."""
    steps = []
    if g.text:
        if d.chance(0.3):
            steps.append(impute_texts(d, g))
        steps.append(encode(d, g))
    for _ in range(d.pick(0, 1, 1, 2, 3) if not g.text else d.pick(0, 0, 0, 1)):
        steps.append(union(d, g, task) if d.chance(0.12) and not g.empty else step(d, g, task))
    if g.empty or whole and g.holes:
        g.holes = True
        steps.append(impute(d, g))
    if d.chance(0.05):
        steps.insert(0, d.pick("passthrough", FunctionTransformer()))
    return steps


def joined(d, steps):
    if not steps:
        return "passthrough"
    if len(steps) == 1 and d.chance(0.8):
        return steps[0]
    return Pipeline([("s%d" % i, s) for i, s in enumerate(steps)])


def columns(d, table, places):
    """Returns some columns of a table as a ColumnTransformer can be told."""
    kinds = ["positions", "mask"]
    if places == list(range(places[0], places[-1] + 1)):
        kinds.append("slice")
    if table.frame:
        kinds += ["names", "names", "names", "selector"]
    kind = d.pick(*kinds)
    if kind == "positions":
        return [p - len(table.columns) * d.chance(0.1) for p in places]
    if kind == "mask":
        return [j in places for j in range(len(table.columns))]
    if kind == "slice":
        return slice(places[0], places[-1] + 1)
    names = [table.columns[p].name for p in places]
    if kind == "selector":
        import re
        return make_column_selector(pattern="^(%s)$" % "|".join(re.escape(n) for n in names))
    return names


def split(d, table):
    """Returns the positions of columns in groups. Texts do not mix with numbers
    other than codes."""
    order = d.shuffle(list(range(len(table.columns))))
    groups = {}
    for j in order:
        c = table.columns[j]
        texts = [k for k in groups if k[0] == "text"]
        if c.words:
            kind = "text", str(c.blank), str(c.dtype)
        elif texts and c.kind in ("code", "flag") and d.chance(0.3):
            kind = texts[0]
        else:
            kind = c.discrete and d.chance(0.5), c.kind == "positive", d.int(0, 1)
        groups.setdefault(kind, []).append(j)
    return [sorted(g) if d.chance(0.6) else g for g in groups.values()]


def by_column(d, table, task, whole):
    parts, rest = [], []
    for i, places in enumerate(split(d, table)):
        g = Group([table.columns[j] for j in places])
        if not g.text and not (whole and g.holes) and d.chance(0.15):
            rest += places
        elif d.chance(0.06) and parts:
            parts.append(("drop%d" % i, "drop", columns(d, table, places)))
        else:
            parts.append(("part%d" % i, joined(d, chain(d, g, task, whole)), columns(d, table, places)))
    remainder = d.pick("drop", "passthrough", "passthrough", StandardScaler()) if rest else d.pick("drop", "passthrough")
    if not parts:
        parts, remainder = [("all", StandardScaler(), columns(d, table, sorted(rest)))], "drop"
    t = known(ColumnTransformer, transformers=parts, remainder=remainder, sparse_threshold=d.pick(0, 0.3, 1), verbose_feature_names_out=d.chance(0.7))
    if VERSION >= (1, 2) and table.frame and d.chance(0.1):
        t.set_output(transform="pandas")
    return t


def preparation(d, table, task, whole):
    """Returns the steps in front of an estimator that takes NaN or (whole) not."""
    if table.texts or d.chance(0.35):
        steps = [by_column(d, table, task, whole)]
        if d.chance(0.25):
            g = Group([])
            g.holes = g.positive = g.discrete = g.empty = False
            steps.append(scale(d, g))
        return steps
    g = Group(table.columns)
    if d.chance(0.3) and not (whole and g.holes) and not g.empty:
        return []
    return chain(d, g, task, whole)
