#include "adapters/exchange/rotary_heads.h"

#include "base/error.h"

namespace inlay::exchange {
namespace {

bool is_query(const LoraModule& module) { return module.name.ends_with("self_attn.q_proj"); }

}  // namespace

bool is_rotary(const LoraModule& module) {
  return is_query(module) || module.name.ends_with("self_attn.k_proj");
}

int64_t rotary_heads(const LoraModule& module, const BaseShape& base, const std::string& format) {
  int64_t heads = is_query(module) ? base.heads : base.kv_heads;
  require(heads > 0, ErrorKind::kUsage,
          "{} has the rows of {} in another order, per head; give --model with the base's "
          "config.json, or --heads and --kv-heads",
          format, module.name);
  require(module.out() % (2 * heads) == 0, ErrorKind::kInput,
          "{} has {} outputs, which are not {} heads of an even size; is that the adapter's base?",
          module.name, module.out(), heads);
  return heads;
}

}  // namespace inlay::exchange
