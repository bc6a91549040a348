"""Makes of a model what a peer reads:

    prepare.py KIND MODEL TEXT OUT

MODEL is XGBoost's file, TEXT holds the same trees in LightGBM's text form. The
kinds: treelite writes its form to OUT; onnx writes OUT; tl2cgen compiles to OUT, a
shared library; lleaves compiles to OUT and leaves OUT.txt and OUT.o, which its
Python side reads. It prints, as JSON, what that took.
"""
import json
import os
import resource
import shutil
import subprocess
import sys
import time


def treelite(model, text, out):
    load_treelite(model).serialize(out)


def load_treelite(model):
    import treelite

    return treelite.frontend.load_xgboost_model(model, format_choice="inspect")


def tl2cgen(model, text, out):
    import tl2cgen

    tl2cgen.export_lib(load_treelite(model), toolchain="gcc", libpath=out, params={"parallel_comp": 16}, nthread=1)


def lleaves(model, text, out):
    import lleaves

    shutil.copyfile(text, out + ".txt")
    lleaves.Model(out + ".txt").compile(cache=out + ".o", raw_score=True)
    subprocess.run(["gcc", "-shared", "-o", out, out + ".o", "-lm"], check=True)


def onnx(model, text, out):
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    booster = xgboost.Booster(model_file=model)
    booster.feature_names = None  # onnxmltools wants f0, f1, …
    kind = json.loads(booster.save_config())["learner"]["objective"]["name"]
    wrapper = xgboost.XGBClassifier() if kind.startswith(("binary:", "multi:")) else xgboost.XGBRegressor()
    booster.save_model(out + ".ubj")
    wrapper.load_model(out + ".ubj")
    converted = onnxmltools.convert_xgboost(wrapper, initial_types=[("x", FloatTensorType([None, booster.num_features()]))])
    with open(out, "wb") as f:
        f.write(converted.SerializeToString())


def main():
    kind, model, text, out = sys.argv[1:]
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some libraries talk on standard output
    sys.setrecursionlimit(1_000_000)  # some walk trees by recursion
    start = time.perf_counter()
    try:
        {"treelite": treelite, "tl2cgen": tl2cgen, "lleaves": lleaves, "onnx": onnx}[kind](model, text, out)
    except Exception as e:
        sys.exit("%s: %s" % (type(e).__name__, str(e).split("\n")[0]))
    seconds = time.perf_counter() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    json.dump({"build_seconds": seconds, "build_peak_bytes": peak << 10, "artifact_bytes": os.path.getsize(out)}, answer)


main()
