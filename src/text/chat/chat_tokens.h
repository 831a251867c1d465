// A rendered conversation as a model reads it.
#pragma once

#include "text/chat/chat_template.h"
#include "text/tokenizer.h"

namespace inlay {

// The tokens of the text. Special tokens that a message writes stay text; the template alone says
// which there are, so none is set around.
Encoding encode_chat(const Rendered& rendered, const Tokenizer& tokenizer);

}  // namespace inlay
