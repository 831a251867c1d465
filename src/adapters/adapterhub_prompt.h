// AdapterHub's PrefixTuningConfig and PromptTuningConfig.
//
// Its prefixes stand in one pool for all layers, as ours do: a network, or with "flat" the vector
// of all of them. Its prompts are set behind the embeddings, with the text's positions unmoved.
#pragma once

#include "adapters/adapterhub_form.h"

namespace inlay {

const AdapterHubForm& prefix_tuning_adapterhub_form();
const AdapterHubForm& prompt_tuning_adapterhub_form();

// A pool of prefixes also shows below every layer's attention where AdapterHub saved it: "<layer>.
// prefix_tuning.pool.prefix_tunings.<name>...". The pool's own name for such a tensor; empty for
// any other.
std::string prefix_pool_key(const std::string& key, const BaseFacts& base);

}  // namespace inlay
