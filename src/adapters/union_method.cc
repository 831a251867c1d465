#include "adapters/union_method.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "adapters/part_maker.h"
#include "adapters/stack_hook.h"
#include "adapters/trained_together.h"

namespace inlay {
namespace {

class Union : public Method {
 public:
  explicit Union(std::vector<std::string> texts) { read(std::move(texts)); }

  void fields(FieldVisitor& visit) override {
    std::vector<std::string> texts;
    texts.reserve(parts_.size());
    for (const UnionPart& part : parts_) texts.push_back(method_text(part.method));
    std::vector<std::string> before = texts;
    visit("methods", texts, "the methods, each with its settings in quotes");
    if (texts != before) read(std::move(texts));
  }

  void settle(const BaseFacts& base) override {
    for (UnionPart& part : parts_) part.method.method->settle(base);
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(parts_.size() >= 2, ErrorKind::kUsage,
            "a union needs two methods or more; write them as lora[r=4]|bottleneck");
    std::set<const Site*> chosen;
    for (const UnionPart& part : parts_) {
      std::vector<const Site*> own = part.method.method->select(base);
      chosen.insert(own.begin(), own.end());
    }
    std::vector<const Site*> sites;
    std::copy_if(base.sites.begin(), base.sites.end(), std::back_inserter(sites),
                 [&](const Site* site) { return chosen.contains(site); });
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Hooks hooks;
    for (const UnionPart& part : parts_) {
      std::vector<const Site*> own = part.method.method->select(make.base());
      if (std::find(own.begin(), own.end(), &site) == own.end()) continue;
      PartMaker maker(make, part.name, std::move(own));
      hooks.push_back(part.method.method->attach(site, maker));
    }
    return make_stack_hook(site, std::move(hooks));
  }

  bool identity_at_start() const override {
    return all([](const Method& method) { return method.identity_at_start(); });
  }
  bool gradient_is_exact() const override {
    return all([](const Method& method) { return method.gradient_is_exact(); });
  }
  int64_t positions_taken() const override {
    int64_t taken = 0;
    for (const UnionPart& part : parts_) taken += part.method.method->positions_taken();
    return taken;
  }
  int64_t gradient_chunk() const override {
    int64_t chunk = 1;
    for (const UnionPart& part : parts_)
      chunk = std::max(chunk, part.method.method->gradient_chunk());
    return chunk;
  }

  const std::vector<UnionPart>& parts() const { return parts_; }

 private:
  template <class Test>
  bool all(const Test& test) const {
    return std::all_of(parts_.begin(), parts_.end(),
                       [&](const UnionPart& part) { return test(*part.method.method); });
  }

  void read(std::vector<std::string> texts) {
    std::vector<UnionPart> parts;
    std::map<std::string, int> counts;
    parts.reserve(texts.size());
    for (const std::string& text : texts) {
      ConfiguredMethod method = parse_method(text);
      require_trained_together(method);
      require(!method.method->needs_calibration(), ErrorKind::kUsage,
              "{} looks at data before it is trained, which it cannot do inside a union; train it "
              "alone",
              text);
      std::string name = method.info->name;
      int count = ++counts[name];
      if (count > 1) name += "_" + std::to_string(count);
      parts.push_back({std::move(method), std::move(name)});
    }
    parts_ = std::move(parts);
  }

  std::vector<UnionPart> parts_;
};

}  // namespace

const std::vector<UnionPart>* union_parts(const Method& method) {
  const auto* whole = dynamic_cast<const Union*>(&method);
  return whole != nullptr ? &whole->parts() : nullptr;
}

std::unique_ptr<Method> make_union(std::vector<std::string> texts) {
  return std::make_unique<Union>(std::move(texts));
}

}  // namespace inlay
