#include "eval/fit_to_base.h"

#include "base/error.h"

namespace inlay {

void fit_to_base(TokenSequence& sequence, const BaseFacts& base) {
  for (int32_t id : sequence.ids) {
    require(id >= 0 && id < base.vocabulary, ErrorKind::kInput,
            "the tokenizer gives id {}, the model's vocabulary ends at {}; tokenizer and model do "
            "not belong together",
            id, base.vocabulary - 1);
  }
  require(!sequence.ids.empty(), ErrorKind::kInput, "the text has no tokens");
  if (base.type_count <= 1) sequence.types.clear();
}

}  // namespace inlay
