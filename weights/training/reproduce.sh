#!/usr/bin/env bash
# Makes shipped weights, their card and, of the default, their graph in 8-bit integers from the data
# alone; nuclei-lite0 first, which teaches nuclei-resnet18. A stage that was stopped goes on where it
# was; seven hours on one core for the training of the former, three for that of the latter, half an
# hour for the rest. From the repository's root:
#   bash weights/training/reproduce.sh [nuclei-lite0 (the default) | nuclei-resnet18]
#   FIGURES_ONLY=1   leaves the weights as they are and renews what the card says of them
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python}
name=${1:-nuclei-lite0}
case $name in
  nuclei-lite0) stages="lite0 lite0-second lite0-third lite0-fourth lite0-fifth lite0-sixth" ;;
  nuclei-resnet18) stages="resnet18 resnet18-second resnet18-third" ;;
  *) echo "no weights are called $name; give nuclei-lite0 or nuclei-resnet18." >&2; exit 2 ;;
esac
last=${stages##* }
config=weights/training/$last.toml
data=../shared/data
model=weights/$name.safetensors

if [ -z "${FIGURES_ONLY:-}" ]; then
  for stage in $stages; do
    $python -m seg_core train --config "weights/training/$stage.toml" --out "runs/$stage"
    cp "runs/$stage/log.csv" "weights/training/$stage.csv"
  done
  cp "runs/$last/$name.safetensors" "runs/$last/$name.json" weights/
fi

$python -m seg_core context --config "$config" --model "$model"
$python -m seg_core calibrate --config "$config" --model "$model"

consep="train_8 train_9 train_10 train_19 train_22"
lizard="crag_56 crag_63 dpath_32 dpath_34 dpath_36 dpath_37 dpath_38 dpath_57 dpath_58 glas_11
  glas_12 glas_13 glas_14 glas_15 glas_17 glas_18 pannuke_5 pannuke_6 pannuke_7 pannuke_9"
kumar="Bladder_TCGA-G2-A2EK-01A-02-TSB Breast_TCGA-E2-A14V-01Z-00-DX1
  Colon_TCGA-NH-A8F7-01A-01-TS1 Kidney_TCGA-HE-7130-01Z-00-DX1 Liver_TCGA-50-5931-01Z-00-DX1"
set -f # the stars are patterns for the command, not for the shell
evaluate() { # name in the card, folder, options
  $python -m seg_core evaluate --model "$model" --precision fp32 --card-entry "$1" --data "$data/$2" "${@:3}"
}
evaluate monusac_val monusac/val
evaluate monusac_val_at_20x monusac/val --reduce 2
evaluate monusac_val_at_20x_jpeg_50 monusac/val --reduce 2 --jpeg 50
evaluate consep_held_out consep --classes consep --only $consep
evaluate consep_held_out_at_20x consep --classes consep --reduce 2 --only $consep
evaluate lizard_held_out lizard --classes lizard --only $lizard
evaluate brca_m2c_held_out brca_m2c --classes brca_m2c --only 'TCGA-AC-*' 'TCGA-PE-*' 'TCGA-A7-A4S*' 'TCGA-A7-A56D-*'
evaluate kumar_held_out kumar --classes all-nuclei --only $kumar
set +f

$python -m seg_core profile --config "$config" --model "$model"
$python -m seg_core directions --config "$config" --model "$model"
[ "$name" = nuclei-lite0 ] || exit 0
$python -m seg_core quantise --model "$model" --calibrate $data/monusac/train --floating ends --tiles 300 --measure $data/monusac/val
$python -m tests.bench.model_tables --into-card
