"""Write golden.json: values of metrics by scikit-learn and XGBoost.

Made with scikit-learn 1.9.1 and XGBoost 3.2.0. Labels and predictions are dyadic
fractions, so that XGBoost, which takes float32, sees the same numbers.
"""

import json
import pathlib

import numpy as np
import sklearn.metrics as sk
import xgboost as xgb

rng = np.random.default_rng(6)
cases = []


def dyadic(low, high, n, steps=64):
    return rng.integers(round(low * steps), round(high * steps) + 1, n) / steps


def xgboost(metric, label, pred, weight=None, query=None, **params):
    """Return what XGBoost says of predictions: those of no trees and a base margin."""
    params = {"objective": "reg:squarederror", **params, "eval_metric": metric, "base_score": 0.5}
    data = xgb.DMatrix(np.zeros((len(label), 1)), label=label)
    if query is not None:
        first = np.unique(query, return_index=True)[1]
        data.set_group(np.unique(query, return_counts=True)[1])
        weight = None if weight is None else np.asarray(weight)[first]
    if weight is not None:
        data.set_weight(weight)
    data.set_base_margin(np.asarray(pred, np.float32))
    return float(xgb.Booster(params, [data]).eval(data).split(":")[-1])


def case(name, metric, label, pred, weight, query, width, **want):
    cases.append({
        "name": name, "metric": metric, "width": width, "label": [float(v) for v in label], "pred": [float(v) for v in np.ravel(pred)],
        **({} if weight is None else {"weight": [float(v) for v in weight]}),
        **({} if query is None else {"query": [int(v) for v in query]}),
        "want": {k.replace("sklearn", "scikit-learn"): float(v) for k, v in want.items()},
    })


def weights(n, query=None):
    """Return no weights, and some of which two are 0."""
    w = dyadic(0.25, 3, n, 4)
    w[[1, n // 2]] = 0
    return {"": None, " weighted": w if query is None else w[query]}


N = 24
for suffix, w in weights(N).items():
    y = rng.integers(0, 2, N)
    y[:2] = 0, 1
    p = np.clip(dyadic(0, 1, N), 1 / 64, 63 / 64)
    certain = p.copy()
    certain[[0, 1, 5, 6]] = 0, 1, 0, 1
    tied = dyadic(0, 1, N, 4)
    case("chances" + suffix, "logloss", y, p, w, None, 1, sklearn=sk.log_loss(y, p, sample_weight=w), xgboost=xgboost("logloss", y, p, w))
    case("certain" + suffix, "logloss", y, certain, w, None, 1, xgboost=xgboost("logloss", y, certain, w))
    case("wrong and certain" + suffix, "logloss", 1 - y, certain, w, None, 1, xgboost=xgboost("logloss", 1 - y, certain, w))
    case("classes" + suffix, "error", y, p > 0.5, w, None, 1, sklearn=sk.zero_one_loss(y, p > 0.5, sample_weight=w), xgboost=xgboost("error", y, p, w))
    case("classes" + suffix, "accuracy", y, p > 0.5, w, None, 1, sklearn=sk.accuracy_score(y, p > 0.5, sample_weight=w))
    for kind, scores in {"scores": p, "tied scores": tied, "equal scores": np.full(N, 0.5)}.items():
        case(kind + suffix, "auc", y, scores, w, None, 1, sklearn=sk.roc_auc_score(y, scores, sample_weight=w), xgboost=xgboost("auc", y, scores, w))

    k = 4
    y = np.concatenate([np.arange(k), rng.integers(0, k, N - k)])
    P = rng.integers(1, 16, (N, k)).astype(float)
    P /= P.sum(axis=1, keepdims=True)
    softmax = dict(objective="multi:softprob", num_class=k)
    case("chances" + suffix, "mlogloss", y, P, w, None, k, sklearn=sk.log_loss(y, P, sample_weight=w),
         xgboost=xgboost("mlogloss", y, np.log(P), w, **softmax))
    best = P.argmax(axis=1)
    case("classes" + suffix, "merror", y, best, w, None, 1, sklearn=sk.zero_one_loss(y, best, sample_weight=w),
         xgboost=xgboost("merror", y, np.log(P), w, **softmax))
    case("several classes" + suffix, "accuracy", y, best, w, None, 1, sklearn=sk.accuracy_score(y, best, sample_weight=w))
    sure = np.eye(k)[y]
    sure[3] = np.roll(sure[3], 1)
    margins = np.where(sure > 0, 0, -1e4)  # chances of 0 and 1
    case("certain" + suffix, "mlogloss", y, sure, w, None, k, xgboost=xgboost("mlogloss", y, margins, w, **softmax))

    y, p = dyadic(-3, 3, N), dyadic(-3, 3, N)
    p[4] = y[4]
    case("numbers" + suffix, "rmse", y, p, w, None, 1, sklearn=sk.root_mean_squared_error(y, p, sample_weight=w), xgboost=xgboost("rmse", y, p, w))
    case("numbers" + suffix, "mae", y, p, w, None, 1, sklearn=sk.mean_absolute_error(y, p, sample_weight=w), xgboost=xgboost("mae", y, p, w))
    case("numbers" + suffix, "mphe", y, p, w, None, 1, xgboost=xgboost("mphe", y, p, w))
    case("numbers" + suffix, "mphe@0.5", y, p, w, None, 1, xgboost=xgboost("mphe", y, p, w, objective="reg:pseudohubererror", huber_slope=0.5))
    for a in (0.125, 0.5, 0.9):
        case("numbers" + suffix, f"quantile@{a}", y, p, w, None, 1, sklearn=sk.mean_pinball_loss(y, p, alpha=a, sample_weight=w),
             xgboost=xgboost("quantile", y, p, w, objective="reg:quantileerror", quantile_alpha=a))
    alphas, P = [0.25, 0.5, 0.9], np.sort(dyadic(-3, 3, (N, 3)), axis=1)
    case("several" + suffix, "quantile@0.25,0.5,0.9", y, P, w, None, 3,
         sklearn=np.mean([sk.mean_pinball_loss(y, P[:, i], alpha=a, sample_weight=w) for i, a in enumerate(alphas)]),
         xgboost=xgboost("quantile", y, P, w, objective="reg:quantileerror", quantile_alpha=alphas))
    unequal = lambda y, p, a: np.average(np.where(y < p, 1 - a, a) * (y - p) ** 2, weights=w)
    case("numbers" + suffix, "expectile@0.5", y, p, w, None, 1, sklearn=sk.mean_squared_error(y, p, sample_weight=w) / 2)
    case("numbers" + suffix, "expectile@0.9", y, p, w, None, 1, numpy=unequal(y, p, 0.9))
    case("several" + suffix, "expectile@0.25,0.5,0.9", y, P, w, None, 3, numpy=np.mean([unequal(y, P[:, i], a) for i, a in enumerate(alphas)]))

    counts = rng.poisson(2, N).astype(float)
    counts[:3] = 0, 1, 2
    p = dyadic(0.25, 4, N)
    positive = dyadic(0.25, 4, N)
    positive[5] = p[5]
    y = dyadic(-0.5, 4, N)
    q = dyadic(-0.5, 4, N)
    case("numbers" + suffix, "rmsle", y, q, w, None, 1, sklearn=sk.root_mean_squared_log_error(y, q, sample_weight=w), xgboost=xgboost("rmsle", y, q, w))
    case("counts" + suffix, "poisson-deviance", counts, p, w, None, 1, sklearn=sk.mean_poisson_deviance(counts, p, sample_weight=w))
    case("counts" + suffix, "poisson-nloglik", counts, p, w, None, 1, xgboost=xgboost("poisson-nloglik", counts, p, w))
    case("positive" + suffix, "gamma-deviance", positive, p, w, None, 1, sklearn=sk.mean_gamma_deviance(positive, p, sample_weight=w))
    case("positive" + suffix, "gamma-nloglik", positive, p, w, None, 1, xgboost=xgboost("gamma-nloglik", positive, p, w))
    for power in (1.25, 1.5, 1.9):
        case("counts" + suffix, f"tweedie-deviance@{power}", counts, p, w, None, 1, sklearn=sk.mean_tweedie_deviance(counts, p, power=power, sample_weight=w))
        case("counts" + suffix, f"tweedie-nloglik@{power}", counts, p, w, None, 1, xgboost=xgboost(f"tweedie-nloglik@{power}", counts, p, w))

query = np.repeat(np.arange(6), [1, 3, 5, 7, 4, 4])
for suffix, w in weights(N, query).items():
    if w is not None:
        w[np.isin(query, [0, 4])] = 1  # XGBoost forgets the weight of a query without relevant rows
    grades = rng.integers(0, 5, N)
    grades[query == 4] = 0  # nothing is relevant
    distinct = rng.permutation(N) / 32
    tied = dyadic(0, 1, N, 4)
    of_query = np.ones(6) if w is None else np.array([w[query == q][0] for q in range(6)])
    for name, k in {"ndcg": None, "ndcg@2": 2, "ndcg@4": 4}.items():
        def by_sklearn(scores):
            value = lambda q: sk.ndcg_score([2.0 ** grades[query == q] - 1], [scores[query == q]], k=k)
            # scikit-learn refuses a query of one row, and gives 0 to one without relevant rows.
            return np.average([1 if q in (0, 4) else value(q) for q in range(6)], weights=of_query)
        case("grades" + suffix, name, grades, distinct, w, query, 1, sklearn=by_sklearn(distinct),
             xgboost=xgboost(name, grades, distinct, w, query, objective="rank:ndcg"))
        case("tied grades" + suffix, name, grades, tied, w, query, 1, sklearn=by_sklearn(tied))

lines = ",\n".join(json.dumps(c) for c in cases)
(pathlib.Path(__file__).parent / "golden.json").write_text(f"[\n{lines}\n]\n")
