// AdapterHub's LoRAConfig: LoRA and DoRA ("composition_mode" add) and (IA)^3 (scale). Which layers
// are adapted it says by their place: query, key and value of attention, and the two layers of the
// feed-forward part.
//
// Its LoRA has one rank and one alpha, and no biases. Its DoRA divides by |W + B A| and rescales
// the base's bias: the paper's only where alpha = r and the layer has none. Its (IA)^3 scales what
// a layer gives; in the feed-forward part that is before the activation, elsewhere after it.
#pragma once

#include "adapters/adapterhub_form.h"

namespace inlay {

const AdapterHubForm& lora_adapterhub_form();
const AdapterHubForm& ia3_adapterhub_form();

}  // namespace inlay
