"""Random estimators of every family that hew reads."""
import inspect

import sklearn
from sklearn import ensemble as E
from sklearn import linear_model as L
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

try:
    import xgboost
except ImportError:  # it is not there for old versions of scikit-learn
    xgboost = None

VERSION = tuple(int(v) for v in sklearn.__version__.split(".")[:2])


# What 1.1 renamed.
LOG_LOSS, DEVIANCE, LOG = ("log_loss",) * 3 if VERSION >= (1, 1) else ("entropy", "deviance", "log")


def known(cls, **options):
    """Returns an object without the options that this version does not know."""
    return cls(**{k: v for k, v in options.items() if k in inspect.signature(cls).parameters})


class Family:
    """A kind of estimator: what it can learn and whether NaN is welcome."""

    def __init__(self, name, make, tasks, nan=(99, 0), outputs=1):
        self.name, self.make, self.tasks, self.nan, self.outputs = name, make, tasks, nan, outputs

    def takes_nan(self):
        return VERSION >= self.nan


def growth(d):
    """Returns what trees of all families have."""
    return {"max_depth": d.pick(None, 1, 2, 4, 7), "min_samples_leaf": d.pick(1, 3, 10), "max_leaf_nodes": d.pick(None, None, 5, 12),
            "max_features": d.pick(None, None, "sqrt", 0.6), "random_state": d.int(0, 1 << 20)}


def weights(d, t, *more):
    """Returns class weights."""
    if t.kind != "class" or d.chance(0.6):
        return {}
    if t.classes is None or t.outputs > 1 or d.chance(0.5):
        return {"class_weight": d.pick("balanced", *more)}
    return {"class_weight": {c: float(w) for c, w in zip(t.classes, d.rng.random(len(t.classes)) + 0.3)}}


def monotone(d, t):
    if t.outputs > 1 or t.several or t.mixed or d.chance(0.85):
        return {}
    return {"monotonic_cst": [int(v) for v in d.rng.integers(-1, 2, t.width)]}


def tree(d, t):
    criterion = d.pick("gini", "entropy", LOG_LOSS) if t.kind == "class" else d.pick("squared_error", "friedman_mse")
    cls = DecisionTreeClassifier if t.kind == "class" else DecisionTreeRegressor
    return known(cls, criterion=criterion, splitter=d.pick("best", "best", "random"), ccp_alpha=d.pick(0, 0, 0.01), **growth(d),
                 **weights(d, t), **monotone(d, t))


def extra_tree(d, t):
    return (ExtraTreeClassifier if t.kind == "class" else ExtraTreeRegressor)(**growth(d), **weights(d, t))


def forest(d, t):
    random = d.chance(0.6)
    cls = {(True, True): E.RandomForestClassifier, (True, False): E.RandomForestRegressor,
           (False, True): E.ExtraTreesClassifier, (False, False): E.ExtraTreesRegressor}[random, t.kind == "class"]
    return known(cls, n_estimators=d.pick(1, 2, 5, 11), bootstrap=d.chance(0.7), **growth(d), **weights(d, t, "balanced_subsample"))


def boosting(d, t):
    options = {**growth(d), "n_estimators": d.pick(1, 3, 10), "learning_rate": d.pick(0.03, 0.1, 0.7, 1), "subsample": d.pick(1, 1, 0.5)}
    options["max_depth"] = options["max_depth"] or 3
    if d.chance(0.15):
        options.update(n_iter_no_change=2, validation_fraction=0.3, n_estimators=20)
    if t.kind == "class":
        loss = d.pick(DEVIANCE, "exponential") if not t.several else DEVIANCE
        return E.GradientBoostingClassifier(loss=loss, init=d.pick(None, None, "zero", DummyClassifier(strategy="prior")), **options)
    init = d.pick(None, None, "zero", DummyRegressor(strategy="mean"), DummyRegressor(strategy="median"), DummyRegressor(strategy="constant", constant=0.37))
    return E.GradientBoostingRegressor(loss=d.pick("squared_error", "absolute_error", "huber", "quantile"), alpha=d.pick(0.2, 0.9), init=init, **options)


def hist(d, t):
    options = {"max_iter": d.pick(1, 3, 8), "learning_rate": d.pick(0.05, 0.3, 1), "max_leaf_nodes": d.pick(3, 8, 31, None), "max_depth": d.pick(None, None, 2),
               "min_samples_leaf": d.pick(2, 10, 20), "l2_regularization": d.pick(0, 0, 1), "max_bins": d.pick(5, 60, 255), "random_state": 0,
               "early_stopping": d.chance(0.1), **monotone(d, t)}
    options["categorical_features"] = t.categorical or None
    if t.kind == "class":
        return known(E.HistGradientBoostingClassifier, **options, **weights(d, t))
    losses = ["squared_error", "absolute_error"] + ["quantile"] * (VERSION >= (1, 1)) + ["poisson", "poisson"] * t.positive
    loss = d.pick(*losses, *["gamma", "gamma"] * (t.positive and VERSION >= (1, 3)))
    return known(E.HistGradientBoostingRegressor, loss=loss, **({"quantile": 0.3} if loss == "quantile" else {}), **options)


def adaboost(d, t):
    base = d.pick(tree, tree, tree, forest, hist)(d, t.inner())
    base.set_params(max_depth=d.pick(1, 2, 4))
    options = {"n_estimators": d.pick(1, 3, 8), "learning_rate": d.pick(0.3, 1), "random_state": d.int(0, 99)}
    name = "estimator" if VERSION >= (1, 2) else "base_estimator"
    options[name] = d.pick(None, base, base)
    if t.kind == "class":
        algorithm = {"algorithm": d.pick("SAMME", "SAMME.R")} if VERSION < (1, 6) else {}
        return E.AdaBoostClassifier(**options, **algorithm)
    return E.AdaBoostRegressor(loss=d.pick("linear", "square", "exponential"), **options)


def isolation(d, t):
    return E.IsolationForest(n_estimators=d.pick(1, 4, 12), max_samples=d.pick("auto", 1, 2, 3, 30, 0.7), contamination=d.pick("auto", 0.05, 0.3),
                             max_features=d.pick(1.0, 1.0, 0.5), bootstrap=d.chance(0.3), random_state=d.int(0, 99))


def bagging(d, t):
    base = d.pick(tree, tree, extra_tree, forest, boosting, hist, linear)(d, t.inner())
    options = {"n_estimators": d.pick(1, 3, 6), "max_features": d.pick(1.0, 0.5, 0.7), "bootstrap_features": d.chance(0.3),
               "bootstrap": d.chance(0.8), "max_samples": d.pick(1.0, 0.6), "random_state": d.int(0, 99)}
    options["estimator" if VERSION >= (1, 2) else "base_estimator"] = base
    return (E.BaggingClassifier if t.kind == "class" else E.BaggingRegressor)(**options)


def members(d, t, makers):
    out = []
    for i in range(d.int(2, 4)):
        e = d.pick(*makers)(d, t.inner())
        out.append(("m%d" % i, make_pipeline(StandardScaler(), e) if d.chance(0.2) else e))
    return out


def voting(d, t):
    hard = t.kind == "class" and d.chance(0.35)
    sure = [tree, forest, boosting, hist, extra_tree, logistic if t.kind == "class" else linear, adaboost, bagging]
    m = members(d, t, sure + [linear] * (hard or t.kind != "class"))
    w = [d.pick(1, 2, 0.37) for _ in m] if d.chance(0.5) else None
    if len(m) > 2 and d.chance(0.2):
        m[1] = ("gone", "drop")
    if t.kind == "class":
        return E.VotingClassifier(m, voting="hard" if hard else "soft", weights=w, flatten_transform=d.chance(0.5))
    return E.VotingRegressor(m, weights=w)


def stacking(d, t):
    m = members(d, t, [tree, forest, boosting, hist, linear, linear, adaboost, bagging])
    if len(m) > 2 and d.chance(0.2):
        m[1] = ("gone", "drop")
    options = {"cv": 2, "passthrough": d.chance(0.4) and not t.mixed}
    final = None if d.chance(0.4) else linear(d, t.inner())
    if t.kind == "class":
        return E.StackingClassifier(m, final, stack_method=d.pick("auto", "auto", "predict_proba", "predict"), **options)
    return E.StackingRegressor(m, final, **options)


def logistic(d, t):
    solver = d.pick("lbfgs", "lbfgs", "newton-cg", *["newton-cholesky"] * (VERSION >= (1, 2)), *["liblinear"] * (not t.several))
    return L.LogisticRegression(C=d.pick(0.1, 1.0, 10.0), solver=solver, fit_intercept=d.chance(0.85), max_iter=80, **weights(d, t))


def linear(d, t):
    if t.kind == "class":
        loss = d.pick("hinge", LOG, "modified_huber", "squared_hinge", "perceptron")
        sgd = L.SGDClassifier(loss=loss, alpha=d.pick(0.001, 0.1), max_iter=60, average=d.chance(0.2), random_state=0, **weights(d, t))
        ridge = d.pick(L.RidgeClassifier(alpha=d.pick(0.1, 3.0), fit_intercept=d.chance(0.8)), L.RidgeClassifierCV())
        return d.pick(logistic(d, t), logistic(d, t), sgd, sgd, ridge, L.Perceptron(random_state=0))
    sgd = L.SGDRegressor(loss=d.pick("squared_error", "huber", "epsilon_insensitive"), max_iter=60, random_state=0)
    return d.pick(L.LinearRegression(fit_intercept=d.chance(0.8), positive=d.chance(0.2)), L.Ridge(alpha=d.pick(0.1, 3.0)), L.RidgeCV(),
                  L.Lasso(alpha=0.01), L.ElasticNet(alpha=0.01), *[sgd] * (t.outputs == 1))


def gradient(d, t):
    """Returns XGBoost's wrapper, whose trees compare and add in float32."""
    options = {"n_estimators": d.pick(1, 4, 9), "max_depth": d.pick(1, 3, 6), "learning_rate": d.pick(0.1, 0.5), "n_jobs": 1, "random_state": 0,
               "min_child_weight": d.pick(0, 1, 5), "base_score": d.pick(None, 0.3), "tree_method": d.pick("hist", "exact")}
    if t.kind == "class":
        return xgboost.XGBClassifier(**options)
    return xgboost.XGBRegressor(objective=d.pick("reg:squarederror", "reg:absoluteerror", *["reg:gamma", "count:poisson"] * t.positive), **options)


FAMILIES = [
    Family("tree", tree, ("class", "real"), (1, 3), 3),
    Family("extra tree", extra_tree, ("class", "real"), (1, 6), 3),
    Family("forest", forest, ("class", "real"), (1, 4), 3),
    Family("forest", forest, ("class", "real"), (1, 4), 3),
    Family("boosting", boosting, ("class", "real")),
    Family("boosting", boosting, ("class", "real")),
    Family("hist", hist, ("class", "real"), (1, 0)),
    Family("hist", hist, ("class", "real"), (1, 0)),
    Family("adaboost", adaboost, ("class", "real")),
    Family("isolation", isolation, ("outlier",)),
    Family("bagging", bagging, ("class", "real"), (1, 3)),
    Family("voting", voting, ("class", "real")),
    Family("stacking", stacking, ("class", "real")),
    Family("linear", linear, ("class", "real"), outputs=3),
] + [Family("xgboost", gradient, ("class", "real"), (1, 0))] * (xgboost is not None)


def searched(d, estimator):
    """Returns an estimator, now and then as the outcome of a search."""
    if d.chance(0.04) and isinstance(getattr(estimator, "random_state", None), int):
        return GridSearchCV(estimator, {"random_state": [estimator.random_state, 3]}, cv=2)
    return estimator
