// The peers. No header of a library is needed: the few functions that are called
// are declared here.
//
// score is what is timed. It is the call that a C program makes: what a program
// would make once, such as the description of a buffer or a parsed configuration,
// is made in open.

#include "peer.h"

#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *function(const char *name) {
  void *f = dlsym(arguments.library, name);
  if (!f) fail("%s", dlerror());
  return f;
}

// check ends the program unless a call of a library returned 0.
static void check(int status, const char *call) {
  static const char *const errors[] = {"XGBGetLastError", "LGBM_GetLastError", "TreeliteGetLastError"};
  if (!status) return;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    const char *(*last)(void) = dlsym(arguments.library, errors[i]);
    if (last) fail("%s: %s", call, last());
  }
  fail("%s: status %d", call, status);
}

// check_shape ends the program unless a peer gives as many values as are wanted.
static void check_shape(const uint64_t *shape, uint64_t dimensions, size_t rows, enum what what) {
  uint64_t n = 1;
  for (uint64_t i = 0; i < dimensions; i++) n *= shape[i];
  if (n != rows * width(what)) fail("%zu values for %zu rows of %zu", (size_t)n, rows, width(what));
}

struct session {
  void *handle;         // of the model or of a prepared call
  void *proxy;          // XGBoost: where the rows of a call go
  float *row;           // XGBoost: a copy of a single row, whose description stays
  char description[192];
  char parameters[32];  // LightGBM
};

static session *new_session(void *handle) {
  session *s = allocate(sizeof *s);
  s->handle = handle;
  return s;
}

// ---- XGBoost: XGBoosterPredictFromDense, in place ----

static int (*xgboost_predict)(void *, const char *, const char *, void *, const uint64_t **, uint64_t *, const float **);

static void xgboost_load(void) { xgboost_predict = function("XGBoosterPredictFromDense"); }

// describe writes the array interface of rows.
static void describe(char *text, size_t size, const float *x, size_t rows) {
  snprintf(text, size, "{\"data\":[%zu,true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}", (size_t)x, rows, arguments.features);
}

static void xgboost_score(session *s, const void *x, size_t rows, enum what what, void *dst) {
#define CONFIG(type) \
  "{\"type\":" type ",\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,\"cache_id\":0,\"missing\":NaN}"
  static const char *const config[] = {[PREDICT] = CONFIG("0"), [MARGIN] = CONFIG("1")};
  char text[sizeof s->description];
  const char *description = s->description;
  if (rows == 1) {
    memcpy(s->row, x, arguments.features * sizeof(float));
  } else {
    describe(text, sizeof text, x, rows);
    description = text;
  }
  const uint64_t *shape;
  uint64_t dimensions;
  const float *values;
  check(xgboost_predict(s->handle, description, config[what], s->proxy, &shape, &dimensions, &values), "XGBoosterPredictFromDense");
  check_shape(shape, dimensions, rows, what);
  memcpy(dst, values, rows * width(what) * sizeof(float));
}

// booster returns the booster of a number of threads, which its sessions share.
static void *booster(int threads) {
  static void *boosters[MAX_THREADS + 1];
  if (!boosters[threads]) {
    int (*create)(const void *, uint64_t, void **) = function("XGBoosterCreate");
    int (*load)(void *, const char *) = function("XGBoosterLoadModel");
    int (*set)(void *, const char *, const char *) = function("XGBoosterSetParam");
    char number[16];
    snprintf(number, sizeof number, "%d", threads);
    check(create(NULL, 0, &boosters[threads]), "XGBoosterCreate");
    check(load(boosters[threads], arguments.file), "XGBoosterLoadModel");
    check(set(boosters[threads], "nthread", number), "XGBoosterSetParam");
  }
  return boosters[threads];
}

static session *xgboost_open(int threads) {
  int (*proxy)(void **) = function("XGProxyDMatrixCreate");
  session *s = new_session(booster(threads));
  check(proxy(&s->proxy), "XGProxyDMatrixCreate");
  s->row = allocate(arguments.features * sizeof(float));
  describe(s->description, sizeof s->description, s->row, 1);
  // The first call configures the booster, which two threads must not do at once.
  float *dst = allocate(width(PREDICT) * sizeof(float));
  xgboost_score(s, s->row, 1, PREDICT, dst);
  free(dst);
  return s;
}

// ---- hessboost: ../hessboost/src/lib.rs ----

static int (*hessboost_row)(const void *, const float *, int, float *);
static int (*hessboost_rows)(const void *, const float *, size_t, int, float *);

static void hessboost_load(void) {
  hessboost_row = function("peer_row");
  hessboost_rows = function("peer_rows");
}

static session *hessboost_open(int threads) {
  void *(*open)(const char *, int) = function("peer_open");
  void *handle = open(arguments.file, threads);
  if (!handle) fail("hessboost does not read the model");
  return new_session(handle);
}

static void hessboost_score(session *s, const void *x, size_t rows, enum what what, void *dst) {
  if (rows == 1) check(hessboost_row(s->handle, x, what == MARGIN, dst), "peer_row");
  else check(hessboost_rows(s->handle, x, rows, what == MARGIN, dst), "peer_rows");
}

// ---- LightGBM: PredictForMatSingleRowFast and PredictForMat ----

enum { LIGHTGBM_FLOAT64 = 1, LIGHTGBM_ROW_MAJOR = 1, LIGHTGBM_RAW_SCORE = 1, LIGHTGBM_ALL = -1 };

static void *lightgbm_booster;
static int (*lightgbm_row)(void *, const void *, int64_t *, double *);
static int (*lightgbm_rows)(void *, const void *, int, int32_t, int32_t, int, int, int, int, const char *, int64_t *, double *);

static void lightgbm_load(void) {
  lightgbm_row = function("LGBM_BoosterPredictForMatSingleRowFast");
  lightgbm_rows = function("LGBM_BoosterPredictForMat");
  int (*load)(const char *, int *, void **) = function("LGBM_BoosterCreateFromModelfile");
  int iterations;
  check(load(arguments.file, &iterations, &lightgbm_booster), "LGBM_BoosterCreateFromModelfile");
}

static session *lightgbm_open(int threads) {
  int (*prepare)(void *, int, int, int, int, int32_t, const char *, void **) = function("LGBM_BoosterPredictForMatSingleRowFastInit");
  session *s = new_session(NULL);
  snprintf(s->parameters, sizeof s->parameters, "num_threads=%d", threads);
  check(prepare(lightgbm_booster, LIGHTGBM_RAW_SCORE, 0, LIGHTGBM_ALL, LIGHTGBM_FLOAT64, arguments.features, s->parameters, &s->handle),
        "LGBM_BoosterPredictForMatSingleRowFastInit");
  return s;
}

static void lightgbm_score(session *s, const void *x, size_t rows, enum what what, void *dst) {
  int64_t n;
  (void)what; // raw scores only: MARGIN
  if (rows == 1) {
    check(lightgbm_row(s->handle, x, &n, dst), "LGBM_BoosterPredictForMatSingleRowFast");
    return;
  }
  check(lightgbm_rows(lightgbm_booster, x, LIGHTGBM_FLOAT64, rows, arguments.features, LIGHTGBM_ROW_MAJOR, LIGHTGBM_RAW_SCORE, 0,
                      LIGHTGBM_ALL, s->parameters, &n, dst),
        "LGBM_BoosterPredictForMat");
}

// ---- treelite: its general tree inference library ----

static void *treelite_model;
static int (*treelite_predict)(void *, const void *, const char *, uint64_t, void *, void *);

static void treelite_load(void) {
  treelite_predict = function("TreeliteGTILPredict");
  int (*load)(const char *, void **) = function("TreeliteDeserializeModelFromFile");
  check(load(arguments.file, &treelite_model), "TreeliteDeserializeModelFromFile");
}

static session *treelite_open(int threads) {
  int (*parse)(const char *, void **) = function("TreeliteGTILParseConfig");
  int (*output_shape)(void *, uint64_t, void *, const uint64_t **, uint64_t *) = function("TreeliteGTILGetOutputShape");
  static const char *const types[] = {[PREDICT] = "default", [MARGIN] = "raw"};
  void **configs = allocate(2 * sizeof *configs);
  for (int what = PREDICT; what <= MARGIN; what++) {
    char text[64];
    snprintf(text, sizeof text, "{\"predict_type\":\"%s\",\"nthread\":%d}", types[what], threads);
    check(parse(text, &configs[what]), "TreeliteGTILParseConfig");
    const uint64_t *shape;
    uint64_t dimensions;
    check(output_shape(treelite_model, 1, configs[what], &shape, &dimensions), "TreeliteGTILGetOutputShape");
    check_shape(shape, dimensions, 1, what);
  }
  return new_session(configs);
}

static void treelite_score(session *s, const void *x, size_t rows, enum what what, void *dst) {
  void **configs = s->handle;
  check(treelite_predict(treelite_model, x, "float32", rows, dst, configs[what]), "TreeliteGTILPredict");
}

// ---- tl2cgen: the generated function, which takes an array of entries ----

union entry {
  int missing; // -1
  float value;
};

static void (*tl2cgen_predict)(union entry *, int, float *);

static void tl2cgen_load(void) {
  const char *(*thresholds)(void) = function("get_threshold_type"), *(*leaves)(void) = function("get_leaf_output_type");
  if (strcmp(thresholds(), "float32") || strcmp(leaves(), "float32")) fail("the compiled model is not of float32");
  if (width(PREDICT) != width(MARGIN)) fail("the compiled model gives as many predictions as margins");
  tl2cgen_predict = function("predict");
}

static session *tl2cgen_open(int threads) {
  (void)threads;
  return new_session(allocate(arguments.features * sizeof(union entry)));
}

static void tl2cgen_score(session *s, const void *x, size_t rows, enum what what, void *dst) {
  union entry *entries = s->handle;
  for (size_t i = 0; i < rows; i++) {
    const float *row = (const float *)x + i * arguments.features;
    for (size_t j = 0; j < arguments.features; j++) {
      if (isnan(row[j])) entries[j].missing = -1;
      else entries[j].value = row[j];
    }
    float *values = (float *)dst + i * width(what);
    memset(values, 0, width(what) * sizeof(float)); // it adds to what it finds
    tl2cgen_predict(entries, what == MARGIN, values);
  }
}

// ---- lleaves: the compiled function ----

static void (*lleaves_root)(const void *, void *, int, int);

static void lleaves_load(void) { lleaves_root = function("forest_root"); }

static session *lleaves_open(int threads) {
  (void)threads;
  return new_session(NULL);
}

static void lleaves_score(session *s, const void *x, size_t rows, enum what what, void *dst) {
  (void)s, (void)what; // raw scores only: MARGIN
  lleaves_root(x, dst, 0, rows);
}

#define PEER(n) .name = #n, .load = n##_load, .open = n##_open, .score = n##_score

static const struct peer peers[] = {
  {PEER(xgboost), .threads = true},
  {PEER(hessboost), .threads = true, .finite = true},
  {PEER(lightgbm), .threads = true, .wide_rows = true, .wide_values = true},
  {PEER(treelite), .threads = true},
  {PEER(tl2cgen)},
  {PEER(lleaves), .wide_rows = true, .wide_values = true},
};

const struct peer *find_peer(const char *name) {
  for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
    if (!strcmp(peers[i].name, name)) return &peers[i];
  fail("unknown peer %s", name);
}
