"""A peer that Python calls, in a process of its own:

    worker.py PEER FILE FEATURES MARGINS OUTPUTS [BASE...]

It speaks the protocol of hew's package bench/worker over standard input and
output. MARGINS or OUTPUTS is 0 for what the peer does not give. BASE is added to
the margins, after the fact, of a peer that knows the trees alone.
"""
import json
import os
import struct
import sys
import threading
import time

import numpy as np


# A peer's call(threads, margin) returns the function that is timed. It takes rows
# of the peer's type, and its batches are scored by some threads of the library.


class XGBoost:
    dtype = np.float32

    def __init__(self, file):
        self.file = file

    def call(self, threads, margin):
        import xgboost

        booster = xgboost.Booster({"nthread": threads}, model_file=self.file)
        kind = "margin" if margin else "value"
        return lambda x: booster.inplace_predict(x, predict_type=kind, validate_features=False)


class LightGBM:
    dtype = np.float64

    def __init__(self, file):
        import lightgbm

        self.booster = lightgbm.Booster(model_file=file)

    def call(self, threads, margin):
        return lambda x: self.booster.predict(x, raw_score=True, num_threads=threads)


class Treelite:
    dtype = np.float32

    def __init__(self, file):
        import treelite

        self.predict = treelite.gtil.predict
        self.model = treelite.Model.deserialize(file)

    def call(self, threads, margin):
        return lambda x: self.predict(self.model, x, nthread=threads, pred_margin=margin)


class LLeaves:
    dtype = np.float64

    def __init__(self, file):
        import lleaves

        self.model = lleaves.Model(file + ".txt")
        self.model.compile(cache=file + ".o", raw_score=True)  # reads what prepare.py compiled

    def call(self, threads, margin):
        return lambda x: self.model.predict(x, n_jobs=threads)


class ONNXRuntime:
    dtype = np.float32

    def __init__(self, file):
        self.file = file

    def call(self, threads, margin):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        session = onnxruntime.InferenceSession(self.file, options, providers=["CPUExecutionProvider"])
        name, last = session.get_inputs()[0].name, [session.get_outputs()[-1].name]
        return lambda x: session.run(last, {name: x})[0]


PEERS = {"xgboost": XGBoost, "lightgbm": LightGBM, "treelite": Treelite, "lleaves": LLeaves, "onnxruntime": ONNXRuntime}


INFO, ROWS, PREDICTIONS, MARGINS, LEAVES, MEASURE, SINGLY = 0, 1, 2, 3, 4, 5, 1 << 8


class Caller:
    """One thread's range of the rows, cut into batches. It goes on where it left off, so that all rows count with a slow peer, too."""

    def __init__(self, call, rows, batch):
        self.call = call
        self.batches = [rows[i : i + batch] for i in range(0, len(rows), batch)]
        self.next = 0
        self.start = self.done = 0  # of the last run

    def run(self, run):
        call, batches, i, done = self.call, self.batches, self.next, 0
        clock, stop = time.perf_counter_ns, run.stop
        run.ready.wait()  # starting threads is not what is measured
        self.start = clock()
        limit = self.start + run.nanos
        while not stop:
            x = batches[i]
            call(x)
            done += len(x)
            i = (i + 1) % len(batches)
            if clock() >= limit:
                stop.append(True)
        self.next, self.done = i, done


class Run:
    """One measurement."""

    def __init__(self, callers, nanos):
        self.nanos = nanos
        self.stop = []  # not empty: stop
        self.ready = threading.Barrier(callers)


class Worker:
    def __init__(self, peer, features, margins, outputs, base):
        self.name, self.features, self.margins, self.outputs = peer, features, margins, outputs
        self.base = np.array(base)
        self.calls = {}  # by threads and whether margins are wanted
        self.rows = None
        self.callers = {}  # by batch and threads

    def load(self, file):
        self.peer = PEERS[self.name](file)

    def call(self, threads, margin):
        key = threads, margin
        if key not in self.calls:
            self.calls[key] = self.peer.call(threads, margin)
            if self.rows is not None:
                self.calls[key](self.rows[:1])  # what a library does once
        return self.calls[key]

    def info(self, request):
        shape = {"num_features": self.features, "num_margins": self.margins, "num_outputs": self.outputs}
        return json.dumps([{"name": self.name, **shape}]).encode()

    def convert(self, request):
        rows = np.frombuffer(request, "<f4").reshape(-1, self.features)
        return np.ascontiguousarray(rows, dtype=self.peer.dtype)

    def set_rows(self, request):
        self.rows, self.callers = self.convert(request), {}
        return b""

    def values(self, request, singly, margin):
        x = self.convert(request)
        width, call = self.margins if margin else self.outputs, self.call(1, margin)
        v = np.concatenate([np.asarray(call(row)).reshape(1, -1) for row in x[:, None]]) if singly else np.asarray(call(x))
        v = v.reshape(len(x), -1)
        if v.shape[1] == 2 and width == 1:
            v = v[:, 1:]  # the probabilities of both classes
        if v.shape[1] != width:
            raise ValueError("%d values a row where %d are wanted" % (v.shape[1], width))
        if margin and len(self.base):
            v = self.base + v
        return np.ascontiguousarray(v, dtype="<f4").tobytes()

    def measure(self, request):
        """A measurement has as many callers as threads for single rows; the library itself divides a batch."""
        batch, threads, nanos = struct.unpack("<3q", request)
        if self.rows is None or batch < 1 or not 1 <= threads <= len(self.rows):
            raise ValueError("no rows to measure with, or no such batch or threads")
        count = threads if batch == 1 else 1
        if (batch, threads) not in self.callers:
            call = self.call(threads // count, self.outputs == 0)
            parts = np.array_split(self.rows, count)
            self.callers[batch, threads] = [Caller(call, part, batch) for part in parts]
        callers = self.callers[batch, threads]
        run = Run(count, nanos)
        others = [threading.Thread(target=c.run, args=(run,)) for c in callers[1:]]
        for t in others:
            t.start()
        callers[0].run(run)
        for t in others:
            t.join()
        end = time.perf_counter_ns()
        return struct.pack("<2q", sum(c.done for c in callers), end - min(c.start for c in callers))

    def answer(self, operation, request):
        singly, operation = operation & SINGLY, operation & ~SINGLY
        if operation == PREDICTIONS or operation == MARGINS:
            return self.values(request, singly, operation == MARGINS)
        others = {INFO: self.info, ROWS: self.set_rows, MEASURE: self.measure}
        if operation not in others:
            raise ValueError("the peer does not do that")
        return others[operation](request)

    def serve(self, requests, responses):
        """Answers requests (hew/bench/worker/frame.go) until there are no more."""
        responses.write(b"hew worker 1\n")
        responses.flush()
        while header := requests.read(12):
            length, operation, _ = struct.unpack("<3I", header)
            request, status = requests.read(length), 0
            try:
                response = self.answer(operation, request)
            except Exception as e:  # told to the other side, whatever it is
                response, status = in_one_line(e).encode(), 1
            responses.write(struct.pack("<3I", len(response), status, 0) + response)
            responses.flush()


def in_one_line(e):
    return "%s: %s" % (type(e).__name__, str(e).split("\n")[0])


def main():
    # Some libraries talk on standard output, which is ours.
    responses = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    peer, file, features, margins, outputs, *base = sys.argv[1:]
    worker = Worker(peer, int(features), int(margins), int(outputs), [float(b) for b in base])
    try:
        worker.load(file)
    except Exception as e:
        sys.exit(in_one_line(e))
    worker.serve(sys.stdin.buffer, responses)


main()
