"""Record XGBoost models inside of scikit-learn's pipelines: golden-wrapped/*.

Needs scikit-learn 1.9.1, XGBoost 3.2.0 and joblib; run it in this directory.
"""

import json
import pathlib
import pickle

import joblib
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

rng = np.random.default_rng(7)
X = np.round(rng.normal(size=(600, 6)), 2)
X[:, 5] = rng.integers(0, 4, 600)
X[rng.random(X.shape) < 0.05] = np.nan
X[:, 5] = np.nan_to_num(X[:, 5])
y = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) ** 2 + (X[:, 5] == 2)
classes = np.array(["high", "low", "middle"])[np.digitize(y, [0.5, 1.5])]
small = dict(n_estimators=8, max_depth=4, random_state=0)


def record(name, model, target, dump, notes):
    model.fit(X, target)
    at = pathlib.Path("golden-wrapped") / name
    at.mkdir(exist_ok=True)
    rows = X[:200].copy()
    file = dump(model, at)
    np.save(at / "rows.npy", rows)
    np.save(at / "predict.npy", model.predict(rows))
    if hasattr(model, "predict_proba"):
        np.save(at / "proba.npy", np.ascontiguousarray(model.predict_proba(rows)))
    case = dict(name=name, version="1.9.1", estimator=type(model).__name__, rows_dtype="float64", notes=notes, model_files=[file])
    (at / "case.json").write_text(json.dumps(case, indent=1) + "\n")


def joblibbed(model, at):
    joblib.dump(model, at / "model.joblib", compress=3)
    return "model.joblib"


def pickled(model, at):
    (at / "model.pkl").write_bytes(pickle.dumps(model, protocol=5))
    return "model.pkl"


labels = np.digitize(y, [0.5, 1.5])
record("sklearn-1.9-xgboost-scaler-multi", make_pipeline(StandardScaler(), XGBClassifier(**small)), labels, joblibbed,
       "XGBoost 3.2.0 behind a scaler")
record("sklearn-1.9-xgboost-alone-binary", XGBClassifier(**small), (labels > 0).astype(int), pickled, "XGBoost 3.2.0, the wrapper alone")
sparse = ColumnTransformer([("kind", OneHotEncoder(sparse_output=True), [5])], remainder="passthrough", sparse_threshold=1.0)
record("sklearn-1.9-xgboost-sparse-regressor", make_pipeline(sparse, XGBRegressor(**small)), y, joblibbed,
       "XGBoost 3.2.0 behind a sparse matrix: zeros are missing")
