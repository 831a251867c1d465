// A rendered conversation as a model reads it.
#pragma once

#include "text/chat/chat_template_files.h"
#include "text/tokenizer.h"

namespace inlay {

// The tokens of the text. Special tokens that a message writes stay text; the template alone says
// which there are, so none is set around. kInput where it writes a bos or eos token of the model's
// configuration that is not in the tokenizer's vocabulary.
Encoding encode_chat(const Rendered& rendered, const ModelChatTemplate& chat_template,
                     const Tokenizer& tokenizer);

}  // namespace inlay
