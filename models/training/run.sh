#!/bin/sh
# Makes both models from the pictures: training data, training, export, figures.
#
#   models/training/run.sh --data DIR [--work DIR] [--weights DIR] [--minutes N] [--python PYTHON]
#
# DIR holds plates/ and vehicles/ as models/training/README.md describes them. Training resumes from
# what lies in --work (default: plate-models in the temporary directory); both models train side by
# side, one thread each, for --minutes (default 95). The models, the manifest and its figures go to
# --weights (default: models/anpr/weights).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
weights=$here/../anpr/weights
data= work=${TMPDIR:-/tmp}/plate-models minutes=95 python=python3
while [ $# -gt 0 ]; do
    case $1 in
        --data) data=$2 ;;
        --work) work=$2 ;;
        --weights) weights=$2 ;;
        --minutes) minutes=$2 ;;
        --python) python=$2 ;;
        -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
        *) echo "unknown: $1 (see --help)" >&2; exit 2 ;;
    esac
    shift 2
done
[ -n "$data" ] || { echo "--data DIR is needed (see --help)" >&2; exit 2; }
mkdir -p "$work/reader" "$work/detector"
cd "$here"
export OMP_NUM_THREADS=1

nice -n 5 "$python" reader_data.py --data "$data/plates" --shards "$work/reader/shards" &
drawing=$!
nice -n 5 "$python" detector_data.py --data "$data" --out "$work/detector/shards" --forever &
composing=$!
trap 'kill $drawing $composing 2>/dev/null || true' EXIT INT TERM
until ls "$work"/reader/shards/*.images.npy "$work"/detector/shards/*.npz >/dev/null 2>&1; do
    kill -0 $drawing && kill -0 $composing
    sleep 5
done

"$python" train_reader.py --shards "$work/reader/shards" --checkpoint "$work/reader/reader.pt" \
    --minutes "$minutes" &
reading=$!
"$python" train_detector.py --shards "$work/detector/shards" \
    --checkpoint "$work/detector/detector.pt" --minutes "$minutes"
wait $reading

"$python" export_detector.py --checkpoint "$work/detector/detector.pt" --out "$work/detector.onnx"
"$python" evaluate_detector.py --model "$work/detector.onnx" --scenes "$data/plates/dev" \
    --json "$work/detector.json"
"$python" export_detector.py --checkpoint "$work/detector/detector.pt" \
    --out "$weights/detector.onnx" --figures "$work/detector.json"

"$python" export_reader.py "$work/reader/reader.pt" "$work/reader.onnx"
temperature=$("$python" calibrate.py --data "$data/plates" --reader "$work/reader.onnx" |
    sed -n 's/^temperature //p')
"$python" evaluate.py --data "$data/plates" --reader "$work/reader.onnx" \
    --detector "$weights/detector.onnx" --figures "$work/reader.json"
"$python" export_reader.py "$work/reader/reader.pt" "$weights/reader.onnx" \
    --temperature "$temperature" --figures "$work/reader.json"
