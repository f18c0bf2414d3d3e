#!/bin/sh
# Makes the four models from the pictures: training data, training, export, figures.
#
#   models/training/run.sh --data DIR [--work DIR] [--weights DIR] [--minutes N] [--workers N]
#                          [--size N] [--python PYTHON]
#
# DIR holds plates/ and vehicles/ as models/training/README.md describes them, or is what pack.py
# wrote. Training resumes from what lies in --work (default: plate-models in the temporary
# directory). All models train side by side for --minutes (default 95), on a GPU if there is one, else
# one thread each; the one for vehicles begins with the layers of the plate detector that lies in
# --weights; --workers processes (default: the processors less four, at least two)
# draw their pictures, --size plates or an eighth as many scenes to a shard (default 4096). The models and
# the manifest go to --weights (default: models/anpr/weights); without plates/dev they are not
# measured.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
weights=$here/../anpr/weights
data= work=${TMPDIR:-/tmp}/plate-models minutes=95 python=python3 size=4096
workers=$(($(nproc) > 6 ? $(nproc) - 4 : 2))
while [ $# -gt 0 ]; do
    case $1 in
        --data) data=$2 ;;
        --work) work=$2 ;;
        --weights) weights=$2 ;;
        --minutes) minutes=$2 ;;
        --workers) workers=$2 ;;
        --size) size=$2 ;;
        --python) python=$2 ;;
        -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
        *) echo "unknown: $1 (see --help)" >&2; exit 2 ;;
    esac
    shift 2
done
[ -n "$data" ] || { echo "--data DIR is needed (see --help)" >&2; exit 2; }
absolute() { mkdir -p "$1" && cd "$1" && pwd; }
data=$(cd "$data" && pwd) work=$(absolute "$work") weights=$(absolute "$weights")
cd "$here"
export OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1

# Scenes take longest to draw: two thirds of the workers make them.
readers=$((workers / 3 > 0 ? workers / 3 : 1))
nice -n 5 "$python" reader_data.py --data "$data/plates" --shards "$work/plates" \
    --workers $readers --ring $((readers * 24)) --size "$size" \
    >"$work/plates.log" 2>&1 &
drawing=$!
scenes=$((workers - readers > 0 ? workers - readers : 1))
nice -n 5 "$python" detector_data.py --data "$data" --shards "$work/scenes" \
    --workers $scenes --ring $((scenes > 1 ? scenes * 8 : 24)) --size $((size / 8)) \
    >"$work/scenes.log" 2>&1 &
composing=$!
vehicles=
trap 'kill $drawing $composing $vehicles 2>/dev/null || true' EXIT INT TERM
begin=$weights/detector.onnx
[ -f "$begin" ] || begin=$here/../anpr/weights/detector.onnx
cp "$begin" "$work/begin.onnx"
"$python" train_vehicles.py --data "$data/vehicles" --plates "$work/begin.onnx" \
    --checkpoint "$work/vehicles.pt" --minutes "$minutes" >"$work/vehicles.log" 2>&1 &
vehicles=$!
until ls "$work"/plates/*.images.npy >/dev/null 2>&1 && ls "$work"/scenes/*.pictures.npy >/dev/null 2>&1
do
    kill -0 $drawing && kill -0 $composing
    sleep 2
done

train() {
    "$python" "train_$1.py" --shards "$work/$2" --checkpoint "$work/$1.pt" --minutes "$minutes" \
        >"$work/$1.log" 2>&1 || { tail -n 20 "$work/$1.log" >&2; return 1; }
}
train reader plates & reading=$!
train refiner plates & refining=$!
train detector scenes
wait $reading && wait $refining && wait $vehicles
kill $drawing $composing 2>/dev/null || true

"$python" export_detector.py --checkpoint "$work/detector.pt" --out "$weights/detector.onnx"
"$python" export_refiner.py "$work/refiner.pt" "$weights/refiner.onnx"
"$python" export_reader.py "$work/reader.pt" "$work/reader.onnx"
"$python" export_vehicles.py "$work/vehicles.pt" "$weights/vehicles.onnx"
if grep -q ',eval,' "$data/vehicles/index.csv"; then
    "$python" evaluate_vehicles.py --model "$weights/vehicles.onnx" --data "$data/vehicles" \
        --json "$work/vehicles.json"
    "$python" export_vehicles.py "$work/vehicles.pt" "$weights/vehicles.onnx" \
        --figures "$work/vehicles.json"
fi
temperature=$("$python" calibrate.py --data "$data/plates" --reader "$work/reader.onnx" |
    sed -n 's/^temperature //p')
"$python" export_reader.py "$work/reader.pt" "$weights/reader.onnx" --temperature "$temperature"
[ -d "$data/plates/dev" ] || exit 0

"$python" evaluate_detector.py --model "$weights/detector.onnx" --scenes "$data/plates/dev" \
    --json "$work/detector.json"
"$python" export_detector.py --checkpoint "$work/detector.pt" \
    --out "$weights/detector.onnx" --figures "$work/detector.json"
"$python" evaluate.py --data "$data/plates" --reader "$weights/reader.onnx" \
    --detector "$weights/detector.onnx" --refiner "$weights/refiner.onnx" --figures "$work/reader.json"
"$python" export_reader.py "$work/reader.pt" "$weights/reader.onnx" \
    --temperature "$temperature" --figures "$work/reader.json"
