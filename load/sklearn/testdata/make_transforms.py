"""Makes transforms-*.zip: fitted transformers, and what they make of rows.

    python make_transforms.py transforms-1.9.zip 8

The second argument bounds the rows of a case; the files here have 3 (scikit-learn 1.0.2),
5 (1.3.2), 4 (1.6.1) and 8 (1.9.1). Each case is a transformer, pickled, and probes: rows around everything that it was
fitted to, with what it gives for each, or that it raises. Numbers are text in cases.json,
as repr writes them.
"""
import io
import json
import pickle
import sys
import warnings
import zipfile

import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import (RFE, RFECV, GenericUnivariateSelect, SelectFdr, SelectFpr, SelectFromModel, SelectFwe, SelectKBest,
                                       SelectPercentile, SequentialFeatureSelector, VarianceThreshold, f_classif)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (Binarizer, FunctionTransformer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, OneHotEncoder,
                                   OrdinalEncoder, PowerTransformer, QuantileTransformer, RobustScaler, StandardScaler)
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
VERSION = tuple(int(v) for v in sklearn.__version__.split(".")[:2])
NAN, INF = float("nan"), float("inf")
CASES = []
MOST = int(sys.argv[2])


def known(make, **args):
    """Calls make with the arguments that this version has."""
    valid = make().get_params() if make is not ColumnTransformer else ColumnTransformer([]).get_params()
    if make is OneHotEncoder and "sparse_output" not in valid and "sparse_output" in args:
        args["sparse"] = args.pop("sparse_output")
    return make(**{k: v for k, v in args.items() if k in valid})


def case(name, transformer, x, y=None, probes=()):
    """Fits a transformer and asks it about rows."""
    frame = isinstance(x, pd.DataFrame)
    transformer.fit(x, y)
    rows = probe(transformer, x, probes)
    if len(rows) > MOST:
        some = sorted(np.random.default_rng(len(CASES)).choice(len(rows), MOST, replace=False))
        rows = rows.iloc[some] if frame else rows[some]
    given, raised = [], []
    for i in range(len(rows)):
        try:
            given.append(numbers(transformer.transform(rows[i:i + 1])))
        except Exception:
            given.append(None)
            raised.append(i)
    kept = [i for i in range(len(rows)) if given[i] is not None]
    if kept:  # together, as whole tables are: the same numbers
        together = numbers(transformer.transform(rows.iloc[kept] if frame else rows[kept]))
        for i, t in zip(kept, together):
            assert np.array_equal(given[i][0], t, equal_nan=True), (name, i)
    names = None
    try:
        names = [str(n) for n in transformer.get_feature_names_out()]
    except Exception:
        pass
    out = dtypes(transformer.transform(rows.iloc[kept] if frame else rows[kept])) if kept else []
    texts = [frame and not pd.api.types.is_numeric_dtype(d) and d != bool for d in (x.dtypes if frame else [None] * x.shape[1])]
    cells = rows.values.tolist() if frame else rows.tolist()
    CASES.append({
        "name": name, "single": not frame and x.dtype == np.float32, "text": [bool(t) for t in texts],
        "rows": [[write(v, t) for v, t in zip(row, texts)] for row in cells],
        "out": [None if g is None else [repr(float(v)) for v in g[0]] for g in given],
        "names": names, "dtypes": out,
        "model": pickle.dumps(transformer, 4),
    })


def numbers(x):
    if hasattr(x, "toarray"):
        x = x.toarray()
    return np.asarray(x, dtype=np.float64)


def dtypes(x):
    if isinstance(x, pd.DataFrame):
        return [str(d) for d in x.dtypes]
    return [str(x.dtype)] * x.shape[1]


def write(v, text):
    if text:
        return None if v is None or v != v else str(v)
    return repr(float(v))


def near(values):
    """Returns values and their neighbours, of both types."""
    out = []
    for v in values:
        out += [v, np.nextafter(v, INF), np.nextafter(v, -INF), float(np.nextafter(np.float32(v), np.float32(INF)))]
    return out


SPECIAL = [0.0, -0.0, NAN, INF, -INF, 1.0, -1.0, 1e-3, 5e-324, -1e-310, 1e-45, 1e300, -1e300, 3e38, 1e-30, 1e30, 0.1, 123456789.123, -7.25]


def probe(transformer, x, probes):
    """Returns rows like those of x, each with one value of its own."""
    rng = np.random.default_rng(3)
    frame = isinstance(x, pd.DataFrame)
    base = x.dropna() if frame else x[~np.isnan(x).any(axis=1)]
    if len(base) == 0:
        base = x
    rows = []

    def row():
        i = int(rng.integers(len(base)))
        return list(base.iloc[i]) if frame else base[i].tolist()

    for j in range(x.shape[1]):
        if frame and (not pd.api.types.is_numeric_dtype(x.dtypes.iloc[j]) or x.dtypes.iloc[j] == bool):
            values = [v for v in dict.fromkeys(x.iloc[:, j]) if v == v and v is not None] + ["never", ""]
            blanks = {None if v is None else NAN for v in x.iloc[:, j] if v != v or v is None} or {NAN}
            if len(blanks) == 1:  # hew has one missing value: that of training
                values += blanks
            if x.dtypes.iloc[j] == bool:
                values = [True, False]
        elif frame and pd.api.types.is_integer_dtype(x.dtypes.iloc[j]):
            values = sorted(set(x.iloc[:, j])) + [-77, 991]
        else:
            c = np.asarray(x.iloc[:, j] if frame else x[:, j], dtype=float)
            c = c[~np.isnan(c)]
            values = SPECIAL + list(rng.choice(c, min(6, len(c)))) if len(c) else list(SPECIAL)
            if len(c):
                values += near([c.min(), c.max()])
            values += near(fitted(transformer, j)) + list(probes)
        for v in values:
            r = row()
            r[j] = v
            rows.append(r)
    if frame:
        return pd.DataFrame({n: pd.Series([r[j] for r in rows], dtype=d) for j, (n, d) in enumerate(x.dtypes.items())})
    return np.array(rows, dtype=np.float64).astype(x.dtype)


def fitted(transformer, j):
    """Returns some numbers that column j was fitted to."""
    for name in "bin_edges_", "categories_":
        v = getattr(transformer, name, None)
        if v is not None and j < len(v) and v[j].dtype.kind in "if":
            v = v[j][~np.isnan(v[j])] if v[j].dtype.kind == "f" else v[j]
            return [float(e) for e in v[:8]]
    q = getattr(transformer, "quantiles_", None)
    if q is not None:
        return [float(e) for e in q[::3, j]]
    t = getattr(transformer, "threshold", None)
    return [t] if isinstance(t, float) else []


RNG = np.random.default_rng(11)
PLAIN = RNG.normal(size=(60, 3)) * [1, 40, 1e-3] + [0.3, -17, 5]
HOLES = np.where(RNG.random((60, 3)) < 0.2, NAN, PLAIN)
CONSTANT = np.column_stack([PLAIN[:, 0], np.full(60, 2.5), PLAIN[:, 1]])
POSITIVE = np.exp(RNG.normal(size=(60, 2))) * [1, 1000]
CODES = RNG.choice([-3.0, 0.0, 1.0, 2.5, 7.0, 40.0], (60, 2), p=[0.05, 0.35, 0.3, 0.2, 0.05, 0.05])
CODES_HOLES = np.where(RNG.random((60, 2)) < 0.15, NAN, CODES)
FLAGS = RNG.integers(0, 2, (60, 2)).astype(float)
WORDS = RNG.choice(["red", "green", "blue", "größe", "x y"], (60, 2), p=[0.45, 0.35, 0.1, 0.05, 0.05]).astype(object)
TARGET = (PLAIN[:, 0] + 0.2 * RNG.normal(size=60) > 0.3).astype(int)
WIDE = np.column_stack([PLAIN, RNG.normal(size=(60, 6)), PLAIN[:, 0] * 2 + RNG.normal(size=60)])


def both(name, make, x, y=None, probes=()):
    """Makes the case for float64 and for float32 rows."""
    case(name, make(), x, y, probes)
    case(name + ", float32", make(), x.astype(np.float32), y, probes)


def frame(**columns):
    return pd.DataFrame(columns)


def words(blank=None, dtype=object):
    w = WORDS.copy()
    if blank is not False:
        w[RNG.random(w.shape) < 0.1] = blank
    return pd.DataFrame({"colour": pd.Series(w[:, 0], dtype=dtype), "ä b": pd.Series(w[:, 1], dtype=dtype)})


def scalers():
    both("StandardScaler", StandardScaler, PLAIN)
    both("StandardScaler of NaN", StandardScaler, HOLES)
    both("StandardScaler of a constant", StandardScaler, CONSTANT)
    both("StandardScaler without mean", lambda: StandardScaler(with_mean=False), PLAIN)
    both("StandardScaler without std", lambda: StandardScaler(with_std=False), PLAIN)
    both("MinMaxScaler", MinMaxScaler, PLAIN)
    both("MinMaxScaler clip", lambda: known(MinMaxScaler, feature_range=(0.1, 0.7), clip=True), HOLES)
    both("MinMaxScaler of a constant", lambda: MinMaxScaler(feature_range=(-1, 1)), CONSTANT)
    both("MaxAbsScaler", MaxAbsScaler, HOLES)
    both("MaxAbsScaler clip", lambda: known(MaxAbsScaler, clip=True), PLAIN)
    both("RobustScaler", RobustScaler, HOLES)
    both("RobustScaler unit variance", lambda: RobustScaler(unit_variance=True, quantile_range=(5.0, 95.0)), CONSTANT)
    both("RobustScaler without centering", lambda: RobustScaler(with_centering=False), PLAIN)
    both("RobustScaler without scaling", lambda: RobustScaler(with_scaling=False), PLAIN)


def imputers():
    empty = np.column_stack([HOLES[:, 0], np.full(60, NAN), CODES_HOLES])
    for strategy in "mean", "median", "most_frequent", "constant":
        both("SimpleImputer " + strategy, lambda: SimpleImputer(strategy=strategy), empty)
        both("SimpleImputer %s, keep, indicator" % strategy,
             lambda: known(SimpleImputer, strategy=strategy, keep_empty_features=True, add_indicator=True), empty)
    both("SimpleImputer fill 0.1", lambda: SimpleImputer(strategy="constant", fill_value=0.1), HOLES)
    both("SimpleImputer of 0", lambda: SimpleImputer(missing_values=0), CODES)
    both("SimpleImputer of 2.5, indicator", lambda: SimpleImputer(missing_values=2.5, add_indicator=True, strategy="median"), CODES)
    both("SimpleImputer of nothing, indicator", lambda: SimpleImputer(add_indicator=True), PLAIN)
    both("MissingIndicator", MissingIndicator, HOLES)
    both("MissingIndicator all", lambda: MissingIndicator(features="all"), empty)
    both("MissingIndicator new", lambda: MissingIndicator(error_on_new=False), np.column_stack([HOLES[:, :2], PLAIN[:, 2]]))
    both("MissingIndicator, new raises", MissingIndicator, np.column_stack([HOLES[:, :2], PLAIN[:, 2]]))
    both("MissingIndicator of 0", lambda: MissingIndicator(missing_values=0), CODES)
    both("indicator, then scaler", lambda: make_pipeline(MissingIndicator(), StandardScaler()), HOLES)
    both("union of imputer and indicator, then scaler",
         lambda: make_pipeline(FeatureUnion([("i", SimpleImputer()), ("m", MissingIndicator())]), StandardScaler()), HOLES)


def bins():
    steps = np.column_stack([PLAIN[:, 0], CODES[:, 0], np.full(60, 3.0)])
    for strategy in "uniform", "quantile", "kmeans":
        for encode in "ordinal", "onehot", "onehot-dense":
            both("KBinsDiscretizer %s %s" % (strategy, encode),
                 lambda: known(KBinsDiscretizer, n_bins=4, strategy=strategy, encode=encode, random_state=0, subsample=None), steps)
    case("KBinsDiscretizer to float32", known(KBinsDiscretizer, n_bins=3, encode="ordinal", dtype=np.float32), PLAIN)
    both("bins, then scaler", lambda: make_pipeline(known(KBinsDiscretizer, n_bins=3, encode="onehot-dense", subsample=None), StandardScaler()), PLAIN)
    for t in 0.0, 0.1, -1, 1e-40:
        both("Binarizer %s" % t, lambda: Binarizer(threshold=t), PLAIN, probes=near([t]))


def curves():
    both("PowerTransformer", PowerTransformer, PLAIN, probes=(-0.5, 0.5, 3.25))
    both("PowerTransformer not standardized", lambda: PowerTransformer(standardize=False), HOLES, probes=(-0.5, 0.5, 3.25))
    both("PowerTransformer box-cox", lambda: PowerTransformer(method="box-cox"), POSITIVE)
    both("PowerTransformer of a constant", PowerTransformer, CONSTANT)
    both("QuantileTransformer", lambda: QuantileTransformer(n_quantiles=20), HOLES)
    both("QuantileTransformer normal", lambda: QuantileTransformer(n_quantiles=20, output_distribution="normal"), PLAIN)
    both("QuantileTransformer of ties", lambda: QuantileTransformer(n_quantiles=13), CODES)
    both("QuantileTransformer normal of ties", lambda: QuantileTransformer(n_quantiles=13, output_distribution="normal"), CODES)
    for f in (np.log, np.log1p, np.log2, np.log10, np.exp, np.expm1, np.sqrt, np.cbrt, np.square, np.abs, np.fabs, np.negative, np.reciprocal, np.sign,
              np.floor, np.ceil, np.rint, np.tanh, None):
        x = POSITIVE if f in (np.log, np.log1p, np.log2, np.log10, np.sqrt, np.reciprocal) else PLAIN
        both("FunctionTransformer " + getattr(f, "__name__", "None"), lambda: FunctionTransformer(f), x, probes=(2.0, 0.5, 2.5, -2.5, 10.0, 1e5))
    both("FunctionTransformer log1p, validated", lambda: FunctionTransformer(np.log1p, inverse_func=np.expm1, validate=True), POSITIVE)
    both("FunctionTransformer, names", lambda: known(FunctionTransformer, func=np.sqrt, feature_names_out="one-to-one"), POSITIVE)


def ordinals():
    use = {"handle_unknown": "use_encoded_value"}
    both("OrdinalEncoder", OrdinalEncoder, CODES)
    both("OrdinalEncoder of NaN", OrdinalEncoder, CODES_HOLES)
    both("OrdinalEncoder unknown", lambda: OrdinalEncoder(**use, unknown_value=-1), CODES_HOLES)
    both("OrdinalEncoder unknown NaN", lambda: OrdinalEncoder(**use, unknown_value=NAN), CODES)
    both("OrdinalEncoder missing", lambda: known(OrdinalEncoder, **use, unknown_value=99, encoded_missing_value=-2), CODES_HOLES)
    both("OrdinalEncoder, no missing", lambda: known(OrdinalEncoder, **use, unknown_value=99, encoded_missing_value=-2), CODES)
    both("OrdinalEncoder to float32, then scaler", lambda: make_pipeline(OrdinalEncoder(dtype=np.float32), StandardScaler()), CODES)
    both("OrdinalEncoder, then scaler", lambda: make_pipeline(OrdinalEncoder(), StandardScaler()), CODES)
    both("imputer, then OrdinalEncoder", lambda: make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()), CODES_HOLES)
    both("imputer of a new value, then OrdinalEncoder",
         lambda: make_pipeline(SimpleImputer(strategy="constant", fill_value=-9), OrdinalEncoder()), CODES)
    case("OrdinalEncoder to int", OrdinalEncoder(dtype=np.int64), CODES)
    if VERSION >= (1, 3):
        for args in {"min_frequency": 5}, {"max_categories": 3}, {"min_frequency": 0.1, "max_categories": 4}:
            both("OrdinalEncoder %s" % args, lambda: OrdinalEncoder(**args), CODES)
            both("OrdinalEncoder unknown %s" % args, lambda: OrdinalEncoder(**use, unknown_value=-1, **args), CODES_HOLES)
            case("OrdinalEncoder of text %s" % args, OrdinalEncoder(**use, unknown_value=-1, encoded_missing_value=-3, **args), words(NAN))
    for name, blank in ("none", None), ("nan", NAN), ("whole", False):
        case("OrdinalEncoder of text, " + name, OrdinalEncoder(), words(blank))
        case("OrdinalEncoder of text, unknown, " + name, OrdinalEncoder(**use, unknown_value=-1), words(blank))
        case("OrdinalEncoder of text, missing, " + name, known(OrdinalEncoder, **use, unknown_value=-1, encoded_missing_value=-5), words(blank))
    case("OrdinalEncoder of both", OrdinalEncoder(**use, unknown_value=-1),
         frame(a=pd.Series([None, NAN, "u", "v", "u", "v"], dtype=object)))
    case("OrdinalEncoder of chosen categories",
         OrdinalEncoder(categories=[["x y", "red", "blue", "green", "größe", "more"], ["red", "green", "blue", "größe", "x y"]]), words(False))
    case("OrdinalEncoder of mixed columns", OrdinalEncoder(**use, unknown_value=-1),
         frame(n=CODES[:, 0], w=WORDS[:, 0], i=CODES[:, 1].astype(int), b=FLAGS[:, 0] > 0))


def hots():
    for unknown in "error", "ignore", "infrequent_if_exist", "warn":
        if unknown == "infrequent_if_exist" and VERSION < (1, 1) or unknown == "warn" and VERSION < (1, 6):
            continue
        groups = [{}] if VERSION < (1, 1) else [{}, {"min_frequency": 5}, {"max_categories": 3}, {"min_frequency": 0.1, "max_categories": 4}]
        for group in groups:
            for drop in (None, "first", "if_binary") if not group or unknown != "error" else (None, "first"):
                name = "OneHotEncoder %s %s drop %s" % (unknown, group, drop)
                make = lambda: known(OneHotEncoder, handle_unknown=unknown, drop=drop, sparse_output=False, **group)
                case(name, make(), CODES_HOLES)
                case(name + ", text", make(), words(NAN))
    both("OneHotEncoder, sparse", OneHotEncoder, CODES)
    both("OneHotEncoder of flags", lambda: known(OneHotEncoder, drop="if_binary", sparse_output=False), FLAGS)
    both("OneHotEncoder, then scaler", lambda: make_pipeline(known(OneHotEncoder, sparse_output=False), StandardScaler()), CODES)
    both("OneHotEncoder to float32, then scaler", lambda: make_pipeline(known(OneHotEncoder, sparse_output=False, dtype=np.float32), StandardScaler()), CODES)
    case("OneHotEncoder drops chosen ones", known(OneHotEncoder, sparse_output=False, drop=np.array(["red", "blue"], dtype=object)), words(False))
    case("OneHotEncoder drops numbers", known(OneHotEncoder, sparse_output=False, drop=[0.0, 2.5]), CODES)
    case("OneHotEncoder of None", known(OneHotEncoder, sparse_output=False), words(None))
    case("OneHotEncoder of None, ignore", known(OneHotEncoder, sparse_output=False, handle_unknown="ignore"), words(None))
    case("OneHotEncoder of both", known(OneHotEncoder, sparse_output=False, handle_unknown="ignore"),
         frame(a=pd.Series([None, NAN, "u", "v", "u", "v"], dtype=object)))
    case("OneHotEncoder of mixed columns", known(OneHotEncoder, sparse_output=False, handle_unknown="ignore"),
         frame(n=CODES[:, 0], w=WORDS[:, 0], i=CODES[:, 1].astype(int), b=FLAGS[:, 0] > 0))
    case("OneHotEncoder of integers", known(OneHotEncoder, sparse_output=False), frame(i=CODES[:, 1].astype(int), b=FLAGS[:, 0] > 0))
    case("OneHotEncoder of a category", known(OneHotEncoder, sparse_output=False), words(False, "category"))
    fill = SimpleImputer(strategy="constant", fill_value="missing", missing_values=NAN)
    case("imputer of text, then OneHotEncoder", make_pipeline(fill, known(OneHotEncoder, sparse_output=False)), words(NAN))
    case("imputer of text, new value, then OneHotEncoder", make_pipeline(fill, known(OneHotEncoder, sparse_output=False)), words(False))
    case("imputer of text, new value, ignored", make_pipeline(fill, known(OneHotEncoder, sparse_output=False, handle_unknown="ignore")), words(False))
    case("imputer of text, most frequent", make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()), words(NAN))
    case("imputer of None", make_pipeline(SimpleImputer(strategy="most_frequent", missing_values=None), OrdinalEncoder()), words(None))
    case("imputer of red", make_pipeline(SimpleImputer(strategy="most_frequent", missing_values="red"), OrdinalEncoder()), words(False))
    case("encoder of text, indicator",
         ColumnTransformer([("e", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), [0, 1]), ("m", MissingIndicator(missing_values=NAN, error_on_new=False), [0, 1])]),
         words(NAN))


def targets():
    if VERSION < (1, 3):
        return
    from sklearn.preprocessing import TargetEncoder

    case("TargetEncoder", TargetEncoder(), words(NAN), PLAIN[:, 0])
    if VERSION >= (1, 4):
        case("TargetEncoder of classes", TargetEncoder(smooth=3.0), words(None), TARGET + (PLAIN[:, 2] > 5))
    case("TargetEncoder of two", TargetEncoder(), CODES_HOLES, TARGET)


def sparse():
    hot = known(OneHotEncoder, handle_unknown="ignore")
    table = np.column_stack([PLAIN, CODES])
    for scaler in StandardScaler(with_mean=False), MaxAbsScaler(), RobustScaler(with_centering=False):
        both("sparse, then %s" % scaler, lambda: make_pipeline(
            named([("h", hot, [3, 4]), ("p", "passthrough", [0, 1, 2])], sparse_threshold=1), scaler, VarianceThreshold(), Binarizer(threshold=0.7)), table)
    both("sparse bins, then scaler", lambda: make_pipeline(known(KBinsDiscretizer, n_bins=3, encode="onehot", subsample=None), StandardScaler(with_mean=False)), PLAIN)
    both("union of sparse ones, then scaler", lambda: make_pipeline(
        FeatureUnion([("s", StandardScaler()), ("k", known(KBinsDiscretizer, n_bins=3, encode="onehot", subsample=None))]), MaxAbsScaler()), PLAIN)


def selectors():
    x = np.column_stack([WIDE, WIDE[:, 4], np.zeros(60)])
    both("VarianceThreshold", VarianceThreshold, x)
    both("VarianceThreshold 0.9", lambda: VarianceThreshold(0.9), x)
    for k in 1, 4, "all", 0:
        case("SelectKBest %s" % k, SelectKBest(k=k), x, TARGET)
    for p in 10, 25, 55, 100:
        case("SelectPercentile %s" % p, SelectPercentile(percentile=p), x, TARGET)
    for make in SelectFpr, SelectFdr, SelectFwe:
        case(make.__name__, make(alpha=0.3), x, TARGET)
    for mode, param in ("percentile", 30), ("k_best", 3), ("fpr", 0.2), ("fdr", 0.2), ("fwe", 0.2):
        case("GenericUnivariateSelect " + mode, GenericUnivariateSelect(f_classif, mode=mode, param=param), x, TARGET)
    forest = RandomForestClassifier(n_estimators=3, max_depth=3, random_state=0)
    boost = GradientBoostingClassifier(n_estimators=3, max_depth=2, random_state=0)
    for t in None, "mean", "median", "1.25*mean", "0.5 * median", 0.05, -INF:
        most = 3 if t == -INF else None
        case("SelectFromModel %s" % t, SelectFromModel(forest, threshold=t, max_features=most), x, TARGET)
    case("SelectFromModel boosting", SelectFromModel(boost), x, TARGET)
    case("SelectFromModel extra trees", SelectFromModel(ExtraTreesRegressor(n_estimators=3, max_depth=3, random_state=0), max_features=2), x, TARGET)
    case("SelectFromModel tree", SelectFromModel(DecisionTreeClassifier(max_depth=3, random_state=0)), x, TARGET)
    case("SelectFromModel Lasso", SelectFromModel(Lasso(0.05)), x, TARGET)
    case("SelectFromModel LinearRegression", SelectFromModel(LinearRegression()), x, TARGET)
    case("SelectFromModel LogisticRegression", SelectFromModel(LogisticRegression(max_iter=500)), x, (TARGET + (PLAIN[:, 2] > 5)))
    case("SelectFromModel l1", SelectFromModel(LogisticRegression(penalty="l1", solver="liblinear")), x, TARGET)
    if VERSION >= (1, 1):
        case("SelectFromModel prefit", SelectFromModel(forest.fit(x, TARGET), prefit=True), x, TARGET)
    case("RFE", RFE(DecisionTreeClassifier(random_state=0), n_features_to_select=3), x, TARGET)
    case("RFECV", RFECV(DecisionTreeClassifier(random_state=0), cv=2), x, TARGET)
    case("SequentialFeatureSelector", SequentialFeatureSelector(DecisionTreeClassifier(random_state=0), n_features_to_select=2, cv=2), x, TARGET)


def named(columns, **args):
    return known(ColumnTransformer, transformers=columns, **args)


def compositions():
    table = frame(a=PLAIN[:, 0], b=HOLES[:, 1], c=CODES[:, 0], w=WORDS[:, 0], v=WORDS[:, 1], d=PLAIN[:, 2])
    hot = lambda: known(OneHotEncoder, handle_unknown="ignore", sparse_output=False)
    number = lambda: make_pipeline(SimpleImputer(), StandardScaler())
    for remainder in "drop", "passthrough":
        case("ColumnTransformer, remainder " + remainder, named([("n", number(), ["a", "b"]), ("w", hot(), ["w"]), ("x", "drop", ["v"])], remainder=remainder), table)
    case("ColumnTransformer, remainder scaler", named([("w", hot(), ["v", "w"])], remainder=StandardScaler()), table)
    case("ColumnTransformer by position", named([("n", number(), [0, -5]), ("w", hot(), [3]), ("p", "passthrough", [5])]), table)
    case("ColumnTransformer by mask", named([("n", number(), [True, True, False, False, False, True]), ("w", hot(), np.array([0, 0, 0, 1, 1, 0], bool))]), table)
    case("ColumnTransformer by slice", named([("n", number(), slice(0, 3)), ("w", hot(), slice("w", "v")), ("d", number(), slice(-1, None))]), table)
    case("ColumnTransformer by selector", named([("n", number(), make_column_selector(dtype_include=np.number)), ("w", hot(), make_column_selector("^[vw]$"))]), table)
    case("ColumnTransformer of one name", named([("n", number(), ["a"]), ("p", StandardScaler(), ["d", "a"])], remainder="drop"), table)
    case("ColumnTransformer of no columns", named([("n", number(), []), ("p", "passthrough", ["a"])]), table)
    case("ColumnTransformer, weights", named([("n", number(), ["a", "b"]), ("w", hot(), ["w"])], transformer_weights={"n": 0.1, "w": 3}), table)
    case("ColumnTransformer, names", named([("n", number(), ["a", "b"]), ("w", hot(), ["w"])], verbose_feature_names_out=False), table)
    case("ColumnTransformer, sparse", named([("n", number(), ["a", "b"]), ("w", OneHotEncoder(handle_unknown="ignore"), ["w", "v"])], sparse_threshold=1), table)
    case("ColumnTransformer in itself", named([("i", named([("n", number(), ["a"]), ("w", hot(), ["w"])], remainder="drop"), ["w", "a"]), ("p", "passthrough", ["c"])]), table)
    both("ColumnTransformer of an array", lambda: named([("n", StandardScaler(), [2, 0])], remainder="passthrough"), HOLES)
    both("mixed types, then scaler", lambda: make_pipeline(named([("n", StandardScaler(), [0]), ("o", known(OneHotEncoder, sparse_output=False, handle_unknown="ignore"), [1])]), StandardScaler()),
         np.column_stack([PLAIN[:, 0], CODES[:, 0]]))
    both("one type, then scaler", lambda: make_pipeline(named([("n", StandardScaler(), [0]), ("o", known(OneHotEncoder, dtype=np.float32, sparse_output=False, handle_unknown="ignore"), [1])]), MinMaxScaler()),
         np.column_stack([PLAIN[:, 0], CODES[:, 0]]))
    both("FeatureUnion", lambda: FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler()), ("c", "drop"), *[("d", "passthrough")] * (VERSION >= (1, 1))]), PLAIN)
    both("FeatureUnion, weights", lambda: FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())], transformer_weights={"a": 0.1, "b": 2}), PLAIN)
    both("Pipeline", lambda: Pipeline([("a", SimpleImputer()), ("b", "passthrough"), ("c", MinMaxScaler()), ("d", None), ("e", FunctionTransformer())]), HOLES)
    if VERSION >= (1, 2):
        inner = named([("n", number(), ["a", "b"]), ("w", hot(), ["w", "v"])], remainder="passthrough").set_output(transform="pandas")
        case("ColumnTransformer of names that one made", make_pipeline(inner, named(
            [("a", MinMaxScaler(), ["n__b", "w__w_red"]), ("b", "passthrough", ["w__v_x y", "remainder__d"])])), table)
        plain = named([("n", number(), ["a", "b"]), ("w", hot(), ["w", "v"])], verbose_feature_names_out=False).set_output(transform="pandas")
        case("ColumnTransformer of plain names", make_pipeline(plain, named([("a", MinMaxScaler(), ["b", "w_red"])], remainder="passthrough")), table)
        hots = known(OneHotEncoder, sparse_output=False).set_output(transform="pandas")
        case("names of one-hot numbers", make_pipeline(hots, named([("a", "passthrough", ["i_7", "b_True", "n_2.5", "n_1.0"])])),
             frame(n=CODES[:, 0], i=CODES[:, 1].astype(int), b=FLAGS[:, 0] > 0))
        imputed = SimpleImputer(add_indicator=True).set_output(transform="pandas")
        case("names of an imputer", make_pipeline(imputed, named([("a", "passthrough", ["missingindicator_b", "a"])])), frame(a=HOLES[:, 0], b=HOLES[:, 1]))
        cuts = known(KBinsDiscretizer, n_bins=3, encode="onehot-dense", subsample=None).set_output(transform="pandas")
        case("names of bins", make_pipeline(cuts, named([("a", "passthrough", ["b_2.0", "a_0.0"])])), frame(a=PLAIN[:, 0], b=PLAIN[:, 1]))
        sums = FeatureUnion([("s", StandardScaler()), ("m", MinMaxScaler())]).set_output(transform="pandas")
        case("names of a union", make_pipeline(sums, named([("a", "passthrough", ["m__b", "s__a"])])), frame(a=PLAIN[:, 0], b=PLAIN[:, 1]))
    if VERSION >= (1, 6):
        case("ColumnTransformer, names of a format", ColumnTransformer([("n", number(), ["a"])], verbose_feature_names_out="{feature_name}-{transformer_name}"), table)


def main(path):
    for make in scalers, imputers, bins, curves, ordinals, hots, targets, sparse, selectors, compositions:
        make()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        models = io.BytesIO()
        for c in CASES:
            model = c.pop("model")
            c["at"] = [models.tell(), len(model)]
            models.write(model)
        add(z, "models", models.getvalue())
        add(z, "cases.json", json.dumps(CASES, ensure_ascii=False).encode())
    print(sklearn.__version__, len(CASES), "cases,", sum(len(c["rows"]) for c in CASES), "rows")


def add(z, name, data):
    z.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main(sys.argv[1])
