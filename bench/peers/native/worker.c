// A peer that C calls, in a process of its own:
//
//   worker PEER LIBRARY FILE FEATURES MARGINS OUTPUTS [BASE...]
//
// It loads the peer's shared library and speaks the protocol of package
// hew/bench/worker over standard input and output. MARGINS or OUTPUTS is 0 for
// what the peer does not give. BASE is added to the margins, after the fact, of a
// peer that knows the trees alone.

#define _GNU_SOURCE
#include "peer.h"

#include <dlfcn.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void fail(const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  fprintf(stderr, "%.*s\n", (int)strcspn(text, "\n"), text); // without the stack trace of a library
  exit(1);
}

void *allocate(size_t bytes) {
  enum { LINE = 64 };
  size_t lines = bytes / LINE + 1;
  void *p = aligned_alloc(LINE, lines * LINE);
  if (!p) fail("no memory for %zu bytes", bytes);
  return memset(p, 0, lines * LINE);
}

struct arguments arguments;

size_t width(enum what what) { return what == MARGIN ? arguments.margins : arguments.outputs; }

static const struct peer *peer;

// session_of returns the session of caller i, each call of which has some threads.
static session *session_of(int i, int threads) {
  static session *sessions[MAX_THREADS][MAX_THREADS + 1];
  if (!sessions[i][threads]) sessions[i][threads] = peer->open(threads);
  return sessions[i][threads];
}

// ---- Rows and values ----

struct rows {
  void *x; // in the peer's type
  size_t count;
};

static size_t row_bytes(void) { return arguments.features * (peer->wide_rows ? sizeof(double) : sizeof(float)); }

static const void *row(const struct rows *r, size_t i) { return (const char *)r->x + i * row_bytes(); }

static size_t value_bytes(enum what what) { return width(what) * (peer->wide_values ? sizeof(double) : sizeof(float)); }

// convert returns float32 rows as the peer takes them. Where it refuses infinities
// they become the largest numbers: only a threshold as large tells them apart.
static struct rows convert(const void *x, size_t bytes) {
  struct rows r = {.count = bytes / (arguments.features * sizeof(float))};
  r.x = allocate(r.count * row_bytes());
  for (size_t i = 0; i < r.count * arguments.features; i++) {
    float v;
    memcpy(&v, (const char *)x + i * sizeof v, sizeof v);
    if (peer->finite && isinf(v)) v = copysignf(FLT_MAX, v);
    if (peer->wide_rows) ((double *)r.x)[i] = v;
    else ((float *)r.x)[i] = v;
  }
  return r;
}

// values scores rows, some in a call, and returns float32 values.
static float *values(const struct rows *r, size_t call, enum what what) {
  char *scored = allocate(r->count * value_bytes(what));
  for (size_t i = 0; i < r->count; i += call) {
    size_t n = r->count - i < call ? r->count - i : call;
    peer->score(session_of(0, 1), row(r, i), n, what, scored + i * value_bytes(what));
  }
  size_t n = r->count * width(what);
  float *v = allocate(n * sizeof *v);
  for (size_t i = 0; i < n; i++) {
    double d = peer->wide_values ? ((const double *)scored)[i] : ((const float *)scored)[i];
    v[i] = what == MARGIN && arguments.base ? arguments.base[i % arguments.margins] + d : d;
  }
  free(scored);
  return v;
}

// ---- Measuring: what package hew/bench/measure does ----

static struct rows measured;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

// A run is one measurement.
static struct {
  size_t batch;
  int64_t limit;
  pthread_barrier_t ready;
  atomic_bool stop;
} run;

// A caller has a range of the rows.
struct caller {
  session *s;
  size_t first, last, next; // rows; next is where it left off
  int64_t start, done;      // of this run: when it began, its rows
};

// call scores its rows in turn until the time is over. It reads the clock about
// every 100 µs: reading takes as long as a row of a small model.
static void *call(void *arg) {
  struct caller *c = arg;
  enum what what = arguments.outputs ? PREDICT : MARGIN;
  char *dst = allocate(measured.count * value_bytes(what));
  pthread_barrier_wait(&run.ready); // starting threads is not what is measured
  int64_t looked = c->start = now();
  for (size_t calls = 1; !run.stop;) {
    for (size_t k = 0; k < calls; k++) {
      size_t i = c->next, n = c->last - i < run.batch ? c->last - i : run.batch;
      peer->score(c->s, row(&measured, i), n, what, dst + i * value_bytes(what));
      c->done += n;
      c->next = i + n == c->last ? c->first : i + n;
    }
    int64_t t = now();
    if (t - c->start >= run.limit) run.stop = true;
    if (t - looked < 50000) calls *= 2;
    looked = t;
  }
  free(dst);
  return NULL;
}

struct order { int64_t batch, threads, nanos; };
struct sample { int64_t rows, nanos; };

// measure has as many callers as threads, or one if the peer divides a batch by
// itself. A caller goes on where it left off, so that all rows count with a slow
// peer, too.
static struct sample measure(struct order o) {
  static struct caller callers[MAX_THREADS + 1][MAX_THREADS];
  int count = peer->threads && o.batch > 1 ? 1 : o.threads;
  struct caller *c = callers[count];
  for (int i = 0; i < count; i++) {
    size_t first = measured.count * i / count, last = measured.count * (i + 1) / count;
    if (c[i].last != last) c[i].next = first;
    c[i].s = session_of(i, o.threads / count);
    c[i].first = first, c[i].last = last, c[i].done = 0;
  }
  run.batch = o.batch, run.limit = o.nanos, run.stop = false;
  pthread_barrier_init(&run.ready, NULL, count);
  pthread_t threads[MAX_THREADS];
  for (int i = 1; i < count; i++)
    if (pthread_create(&threads[i], NULL, call, &c[i])) fail("no thread");
  call(&c[0]);
  for (int i = 1; i < count; i++) pthread_join(threads[i], NULL);
  int64_t end = now();
  struct sample s = {0};
  for (int i = 0; i < count; i++) {
    s.rows += c[i].done;
    if (s.nanos < end - c[i].start) s.nanos = end - c[i].start; // a thread may come late
  }
  pthread_barrier_destroy(&run.ready);
  return s;
}

// ---- The protocol: hew/bench/worker/frame.go ----

enum operation { INFO, ROWS, PREDICTIONS, MARGINS, LEAVES, MEASURE, SINGLY = 1 << 8 };

struct header { uint32_t length, first, second; };

static FILE *responses;

static void respond(uint32_t status, const void *payload, size_t bytes) {
  struct header h = {bytes, status, 0};
  fwrite(&h, sizeof h, 1, responses);
  fwrite(payload, 1, bytes, responses);
  if (fflush(responses)) fail("nobody reads the response");
}

static void respond_error(const char *text) { respond(1, text, strlen(text)); }

static void respond_info(void) {
  char text[256];
  snprintf(text, sizeof text, "[{\"name\":\"%s\",\"num_features\":%zu,\"num_margins\":%zu,\"num_outputs\":%zu}]", peer->name,
           arguments.features, arguments.margins, arguments.outputs);
  respond(0, text, strlen(text));
}

static void respond_rows(const void *request, size_t bytes) {
  free(measured.x);
  measured = convert(request, bytes);
  respond(0, "", 0);
}

static void respond_values(const void *request, size_t bytes, bool singly, enum what what) {
  if (!width(what)) {
    respond_error("the peer does not give that");
    return;
  }
  struct rows r = convert(request, bytes);
  float *v = values(&r, singly ? 1 : r.count, what);
  respond(0, v, r.count * width(what) * sizeof *v);
  free(v);
  free(r.x);
}

static void respond_sample(const void *request, size_t bytes) {
  struct order o = {0};
  if (bytes == sizeof o) memcpy(&o, request, sizeof o);
  if (o.batch < 1 || o.threads < 1 || o.threads > MAX_THREADS || (size_t)o.threads > measured.count) {
    respond_error("no rows to measure with, or no such batch or threads");
    return;
  }
  struct sample s = measure(o);
  respond(0, &s, sizeof s);
}

// serve answers requests until there are no more.
static void serve(void) {
  fputs("hew worker 1\n", responses);
  fflush(responses);
  struct header h;
  while (fread(&h, sizeof h, 1, stdin) == 1) {
    char *request = allocate(h.length);
    if (fread(request, 1, h.length, stdin) != h.length) fail("a request ends early");
    bool singly = h.first & SINGLY;
    switch ((enum operation)(h.first & ~SINGLY)) {
    case INFO: respond_info(); break;
    case ROWS: respond_rows(request, h.length); break;
    case PREDICTIONS: respond_values(request, h.length, singly, PREDICT); break;
    case MARGINS: respond_values(request, h.length, singly, MARGIN); break;
    case MEASURE: respond_sample(request, h.length); break;
    default: respond_error("the peer does not do that");
    }
    free(request);
  }
}

static size_t number(const char *text) { return strtoull(text, NULL, 10); }

int main(int argc, char **argv) {
  enum { BASE = 7 };
  if (argc < BASE) fail("usage: worker PEER LIBRARY FILE FEATURES MARGINS OUTPUTS [BASE...]");
  // Some libraries talk on standard output, which is ours.
  responses = fdopen(dup(STDOUT_FILENO), "wb");
  dup2(STDERR_FILENO, STDOUT_FILENO);
  arguments = (struct arguments){
    .library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL),
    .file = argv[3],
    .features = number(argv[4]),
    .margins = number(argv[5]),
    .outputs = number(argv[6]),
  };
  if (!arguments.library) fail("%s", dlerror());
  if (argc > BASE) {
    if ((size_t)argc != BASE + arguments.margins) fail("want a BASE for each margin");
    arguments.base = allocate(arguments.margins * sizeof *arguments.base);
    for (int k = BASE; k < argc; k++) arguments.base[k - BASE] = strtod(argv[k], NULL);
  }
  peer = find_peer(argv[1]);
  peer->load();
  serve();
  return 0;
}
