#include "adapters/trained_together.h"

namespace inlay {

void require_trained_together(const ConfiguredMethod& method) {
  Json fields = fields_to_json([&](FieldVisitor& visit) { method.method->fields(visit); });
  std::string start = fields.value("init_lora_weights", "kaiming");
  bool lora = method.info->name == "lora";
  bool plain_start = !lora || start == "kaiming" || start == "gaussian";
  bool plain_steps =
      !lora || (!fields.value("lora_fa", false) && fields.value("loraplus_lr_ratio", 1.0) == 1.0);
  bool together = method.info->name != "adalora" && plain_start && plain_steps &&
                  !method.method->needs_calibration();
  require(together, ErrorKind::kUsage,
          "{} with these settings needs more of training than gradients, which it does not get as "
          "one of several methods; train it alone, and compose the finished adapter",
          method.info->name);
}

}  // namespace inlay
