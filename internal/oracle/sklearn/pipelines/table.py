"""Random tables: what pipelines are trained on and asked about.

A table is drawn as float64 numbers, raw, one column for each feature. A column of
texts holds indices into its words; NaN is a missing value. Table.make turns raw
numbers into what scikit-learn gets: an array or a data frame.
"""
import numpy as np
import pandas

NAMES = ["age", "a b", "größe", "日本語", 'quo"te', "back\\slash", "a/b", "f0", "x{}", "emoji 🌲", "ratio,%", "x"]
WORDS = [["red", "green", "blue", "größe", "日本語"], ["yes", "no"], ["10", "9", "8", "07"], ["a b", 'quo"te', "x,y", "back\\slash"],
         ["w%d" % i for i in range(30)], ["A", "a", "aa", "B"]]


class Draw:
    """Random choices, repeatable by seed."""

    def __init__(self, *seed):
        self.rng = np.random.default_rng(seed)

    def pick(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def chance(self, p):
        return bool(self.rng.random() < p)

    def int(self, low, high):
        """Returns low, high or a number between them."""
        return int(self.rng.integers(low, high + 1))

    def shuffle(self, values):
        return [values[i] for i in self.rng.permutation(len(values))]


class Column:
    """One feature."""

    def __init__(self, d, name, frame, texts):
        self.d, self.name = d, name
        kinds = ["normal", "normal", "normal", "coarse", "positive", "wide", "count", "code", "flag"]
        self.kind = d.pick(*kinds, *["text"] * (4 if texts else 0))
        self.kind = d.pick("constant", "empty") if d.chance(0.03) else self.kind
        self.missing = d.pick(0.02, 0.3) if d.chance(0.25) else 0
        self.words = None
        if self.kind == "text":
            words = d.shuffle(d.pick(*WORDS))
            self.known = d.int(1, len(words))
            self.weights = d.rng.dirichlet(np.full(self.known, d.pick(0.3, 2)))
            self.words = words + ["never", "seen"]
            self.blank = d.pick(np.nan, None)
            self.dtype = d.pick(object, "str" if pandas.__version__ >= "3" else object)
        self.integer = frame and self.kind in ("count", "code", "flag") and not self.missing and d.chance(0.5)
        self.place, self.scale = d.rng.normal() * 3, 10.0 ** d.int(-2, 2)
        self.codes = np.sort(d.rng.choice([-3, -1, 0, 1, 2, 3, 5, 7, 12, 40, 200], d.int(2, 6), replace=False))
        self.effect = d.rng.normal() * d.pick(0.2, 1, 1)

    def sample(self, n):
        rng = self.d.rng
        v = {
            "normal": lambda: rng.normal(self.place, 1, n) * self.scale,
            "coarse": lambda: np.round(rng.normal(size=n) * 2) / 2,
            "positive": lambda: np.exp(rng.normal(size=n)) * self.scale,
            "wide": lambda: rng.normal(size=n) * 10.0 ** rng.integers(-12, 12),
            "count": lambda: rng.poisson(3, n).astype(float),
            "code": lambda: rng.choice(self.codes, n).astype(float),
            "flag": lambda: rng.integers(0, 2, n).astype(float),
            "constant": lambda: np.full(n, self.place),
            "empty": lambda: np.full(n, np.nan),
            "text": lambda: rng.choice(self.known, n, p=self.weights).astype(float),
        }[self.kind]()
        if self.missing:
            v[rng.random(n) < self.missing] = np.nan
        return v

    @property
    def holes(self):
        return bool(self.missing) or self.kind == "empty"

    @property
    def discrete(self):
        return self.kind in ("coarse", "count", "code", "flag")

    def signal(self, v):
        """What the column adds to the thing to learn."""
        v = np.nan_to_num(v, nan=0.7)
        if self.words:
            return self.effect * np.sin(v * 2.1)
        return self.effect * np.tanh((v - v.mean()) / (v.std() or 1))

    def make(self, v):
        if self.words is None:
            return v.astype(np.int64) if self.integer else v
        words = np.array(self.words + [self.blank], dtype=object)
        v = words[np.where(np.isnan(v), len(words) - 1, v).astype(int)]
        if self.dtype == "category":
            return pandas.Categorical(v, categories=sorted(set(self.words[:self.known])))
        return pandas.Series(v, dtype=self.dtype)


class Table:
    """The features of one model."""

    def __init__(self, d):
        self.d = d
        self.frame = d.chance(0.45)
        self.single = not self.frame and d.chance(0.08)  # float32 rows
        texts = self.frame and d.chance(0.7)
        names = d.shuffle(NAMES) if self.frame else ["f%d" % i for i in range(len(NAMES))]
        self.columns = [Column(d, n, self.frame, texts) for n in names[: d.int(1, 9)]]

    def sample(self, n):
        raw = np.stack([c.sample(n) for c in self.columns], axis=1)
        return self.round(raw)

    def round(self, raw):
        return raw.astype(np.float32).astype(np.float64) if self.single else raw

    def make(self, raw):
        """Returns raw as scikit-learn gets it."""
        if self.frame:
            return pandas.DataFrame({c.name: c.make(raw[:, j]) for j, c in enumerate(self.columns)})
        return raw.astype(np.float32 if self.single else np.float64)

    def signal(self, raw):
        z = sum(c.signal(raw[:, j]) for j, c in enumerate(self.columns))
        return (z - z.mean()) / (z.std() or 1)

    @property
    def texts(self):
        return any(c.words for c in self.columns)
