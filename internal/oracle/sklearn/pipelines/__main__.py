"""Makes random scikit-learn pipelines: pipelines DIR MODELS SEED

Writes model N as DIR/N.pkl, DIR/N.joblib and DIR/N.skops, rows that scikit-learn
answers as DIR/N.rows.npy (or .csv if there are texts), rows that it refuses, each
for one value, as DIR/N.refused.npy (or .csv), the answers as DIR/N.WHAT.npy and
how far they may be off as DIR/N.WHAT.bound.npy; DIR/models.json says what each
model is. The same arguments give the same models on the same processor.

NumPy computes exp, log and others with the vector units of the processor if there
are any, which changes last bits. Here it must do without, and takes the C
library's functions.
"""
import importlib.metadata
import os
import sys

os.environ["NPY_DISABLE_CPU_FEATURES"] = (
    "X86_V3 X86_V4 AVX512_ICL AVX512_SPR" if tuple(map(int, importlib.metadata.version("numpy").split(".")[:2])) >= (2, 4)
    else "FMA3 AVX2 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL")
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import csv
import json
import pickle
import re
import warnings

import joblib
import numpy as np
import sklearn
import skops.io

import answers
from recipe import Recipe

class Writer:
    """Writes the files of one model."""

    def __init__(self, folder, number, recipe):
        self.prefix, self.r = os.path.join(folder, str(number)), recipe
        shown = re.sub(" at 0x[0-9a-f]+", "", " ".join(recipe.model.__repr__(N_CHAR_MAX=4000).split()))
        self.told = {"family": recipe.family.name, "model": shown,
                     "float32": recipe.table.single, "bare": not before(recipe.model),
                     "features": [c.name for c in recipe.table.columns] if recipe.table.frame else None, "texts": recipe.table.texts}

    def write(self):
        self.containers()
        rows, refused = self.r.rows()
        self.rows("rows", rows)
        self.rows("refused", refused)
        x = self.r.table.make(rows)
        said, labels = answers.ask(self.r.model, x)
        if labels is not None:
            self.told["labels"] = [[label(v) for v in c.tolist()] for c in labels]
            self.told["types"] = [{"i": "int", "u": "int", "f": "float", "b": "bool"}.get(c.dtype.kind, "text") for c in labels]
        bound = answers.bound(self.r.model, x)
        for what, values in said.items():
            np.save("%s.%s.npy" % (self.prefix, what), np.ascontiguousarray(values))
            if what != "leaf" and bound.of(what).any():
                np.save("%s.%s.bound.npy" % (self.prefix, what), bound.of(what))
        self.told["answers"] = sorted(said)
        self.told["kinds"] = kinds(self.r)
        return self.told

    def containers(self):
        d, m = self.r.d, self.r.model
        protocol = d.pick(2, 3, 4, 5, 5, 0, 1)
        with open(self.prefix + ".pkl", "wb") as f:
            pickle.dump(m, f, protocol)
        compress = d.pick(0, 0, ("zlib", 1), ("gzip", 3), ("bz2", 1), ("lzma", 1), ("xz", 1), ("lz4", 1))
        joblib.dump(m, self.prefix + ".joblib", compress)
        self.told["pickle"], self.told["joblib"], self.told["skops"] = "protocol %d" % protocol, str(compress), ""
        try:
            skops.io.dump(m, self.prefix + ".skops")
        except Exception as e:  # it cannot save everything
            self.told["skops"] = "%s: %s" % (type(e).__name__, e)

    def rows(self, what, raw):
        """Writes rows; the numbers of a CSV file are in the shortest form."""
        if not self.r.table.texts:
            np.save("%s.%s.npy" % (self.prefix, what), raw)
            return
        with open("%s.%s.csv" % (self.prefix, what), "w", newline="", encoding="utf-8") as f:
            w = csv.writer(f)
            w.writerow([c.name for c in self.r.table.columns])
            for row in raw.tolist():
                w.writerow([text(c, v) for c, v in zip(self.r.table.columns, row)])


def text(column, v):
    if v != v:
        return ""
    return column.words[int(v)] if column.words else repr(v)


def before(model):
    """Reports whether anything in a model transforms rows."""
    names = [type(v).__name__ for v in [model, *model.get_params().values()]]
    return any(n in ("Pipeline", "ColumnTransformer") for n in names)


def label(v):
    return v if isinstance(v, str) else json.dumps(v)


def kinds(recipe):
    """Returns what the model consists of, for the count at the end."""
    found = {recipe.family.name, "data frame" if recipe.table.frame else "float32 rows" if recipe.table.single else "array"}
    found |= {"texts"} if recipe.table.texts else set()
    found |= {"several outputs"} if recipe.target.outputs > 1 else set()
    for v in [recipe.model, *recipe.model.get_params().values()]:
        parts = [p for item in v for p in item] if isinstance(v, list) and v and isinstance(v[0], tuple) else [v]
        found |= {type(p).__name__ for p in parts if hasattr(p, "get_params")}
    return sorted(found)


def main(folder, models, seed):
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    table, failures = [], []
    for i in range(int(models)):
        for attempt in range(50):
            recipe = Recipe(int(seed), i, attempt)
            try:
                recipe.fit()
            except Exception as e:  # what was drawn does not go together
                failures.append("%s: %s" % (recipe.family.name, str(e).split("\n")[0]))
                continue
            table.append(Writer(folder, i, recipe).write())
            break
        else:
            raise SystemExit("model %d: %s" % (i, failures[-5:]))
    with open(os.path.join(folder, "models.json"), "w") as f:
        json.dump({"version": sklearn.__version__, "models": table, "failures": failures}, f, ensure_ascii=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
