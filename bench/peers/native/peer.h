// What a peer is: a library that scores rows, behind one form of call.
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>

enum what { PREDICT, MARGIN };

enum { MAX_THREADS = 64 };

// A session is the state of one thread that calls a peer.
typedef struct session session;

struct peer {
  const char *name;
  bool wide_rows;   // takes float64
  bool wide_values; // gives float64
  bool finite;      // refuses infinities
  bool threads;     // divides a batch among threads itself
  // load finds the functions of the library and, where sessions share it, reads the model.
  void (*load)(void);
  // open returns a session whose batches are scored by some threads.
  session *(*open)(int threads);
  // score writes values of one kind for rows that follow each other.
  void (*score)(session *s, const void *x, size_t rows, enum what what, void *dst);
};

// find_peer ends the program if there is none of that name.
const struct peer *find_peer(const char *name);

// What the program was called with.
struct arguments {
  void *library;
  const char *file;                  // the model, in the peer's form
  size_t features, margins, outputs; // values per row
  double *base;                      // added to margins; NULL if the peer does
};

extern struct arguments arguments;

// width returns how many values of a kind a row has.
size_t width(enum what what);

// allocate returns zeroes at the begin of a cache line.
void *allocate(size_t bytes);

// fail ends the program with a line of text.
_Noreturn void fail(const char *format, ...);

#endif
