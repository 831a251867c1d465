#include "eval/opened_learners.h"

#include <algorithm>
#include <map>
#include <set>

#include "adapters/composition.h"
#include "base/nearest.h"
#include "data/chat/language_dataset.h"
#include "eval/opened_learner.h"
#include "models/base_text.h"

namespace fs = std::filesystem;

namespace inlay {
namespace {

using Folders = std::map<std::string, fs::path>;

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// In the order given.
std::vector<std::pair<std::string, fs::path>> folders_of(const std::vector<std::string>& items) {
  std::vector<std::pair<std::string, fs::path>> all;
  all.reserve(items.size());
  std::set<std::string> seen;
  for (const std::string& item : items) {
    all.push_back(named_folder(item));
    require(all.back().first != kBaseName, ErrorKind::kUsage,
            "adapters: \"{}\" stands for the base alone; give the adapter another name", kBaseName);
    require(seen.insert(all.back().first).second, ErrorKind::kUsage,
            "adapters: \"{}\" is given twice", all.back().first);
  }
  require(!all.empty(), ErrorKind::kUsage, "no adapters were given; use --adapters name=FOLDER");
  return all;
}

std::shared_ptr<const Model> load_base(const LearnersSource& source, const Folders& folders) {
  std::vector<std::string> tasks{source.task};
  tasks.reserve(1 + folders.size());
  for (const auto& [name, folder] : folders) tasks.push_back(recorded_label(folder).task);
  return load_model(source.model, parts_for_tasks(tasks, source.quantise));
}

// Opens what a composition says, piece by piece.
class Opener {
 public:
  Opener(const LearnersSource& source, const std::vector<std::pair<std::string, fs::path>>& given)
      : source_(source), folders_(given.begin(), given.end()), model_(load_base(source, folders_)) {
    if (!model_->facts().images)
      opened_.tokenizer = std::make_unique<Tokenizer>(load_base_tokenizer(source.model));
  }

  void add(const std::string& name, const CompositionNode& node) {
    for (const CompositionNode* leaf : leaves_of(node)) require_given(*leaf);
    LoadedAdapter loaded;
    if (node.what == Composing::kLeaf) {
      loaded = load(node.name);
    } else {
      std::string head = head_of(node);
      if (!head.empty()) loaded = load(head);
      loaded.adapter = composed(name, node);
    }
    add(name, std::move(loaded));
  }

  void add(const std::string& name, LoadedAdapter loaded) {
    const std::string& trained = loaded.label.task;
    const TaskInfo& task =
        find_task(source_.task.empty() ? task_or_refuse(trained, name) : source_.task);
    Learner learner = learner_from(model_, std::move(loaded),
                                   {.task = source_.task,
                                    .pooling = source_.pooling,
                                    .options = {.tokenizer = opened_.tokenizer.get()}});
    opened_.learners.push_back({name, &task, std::move(learner)});
  }

  OpenedLearners finish() {
    const TaskInfo& first = *opened_.learners[0].task;
    auto plain = [](TaskKind kind) { return !of_several_texts(kind) && !read_by_format(kind); };
    for (const NamedLearner& named : opened_.learners) {
      const TaskInfo& task = *named.task;
      bool alike = task.data == first.data || (plain(task.data) && plain(first.data));
      require(alike, ErrorKind::kUsage,
              "{} was trained for {} and {} for {}, which read different kinds of data; ask them "
              "apart",
              opened_.learners[0].name, first.name, named.name, task.name);
    }
    return std::move(opened_);
  }

 private:
  LoadedAdapter load(const std::string& name) const {
    return load_adapter(folders_.at(name), model_->facts());
  }

  void require_given(const CompositionNode& leaf) const {
    std::vector<std::string> names;
    names.reserve(folders_.size());
    for (const auto& [name, folder] : folders_) names.push_back(name);
    require(leaf.method.empty() && folders_.contains(leaf.name), ErrorKind::kUsage,
            "\"{}\" in {} is none of the adapters given: {}", composition_text(leaf),
            source_.compose, listed(names));
  }

  std::string task_or_refuse(const std::string& trained, const std::string& name) const {
    require(!trained.empty(), ErrorKind::kUsage,
            "{} does not say what it was trained for; give --task", name);
    return trained;
  }

  bool has_head(const std::string& name) const { return load(name).head != nullptr; }

  // The adapter whose head and task a composition has; empty where the task needs no head.
  std::string head_of(const CompositionNode& node) const {
    if (node.what == Composing::kLeaf) return node.name;
    if (!source_.task.empty() && find_task(source_.task).layer != OutputLayer::kHead) return "";
    if (node.what == Composing::kStack) return head_of(node.children.back());
    std::set<std::string> with_head, all;
    for (const CompositionNode* leaf : leaves_of(node)) {
      all.insert(leaf->name);
      if (has_head(leaf->name)) with_head.insert(leaf->name);
    }
    require(with_head.size() <= 1, ErrorKind::kUsage,
            "{} has the heads of {}, and nothing says which one answers; train a head for it with "
            "inlay train, or give --task with one that needs no head",
            composition_text(node), listed({with_head.begin(), with_head.end()}));
    return with_head.empty() ? *all.begin() : *with_head.begin();
  }

  std::unique_ptr<Adapter> composed(const std::string& name, const CompositionNode& node) const {
    std::map<std::string, LoadedAdapter> loaded;
    AdaptersAtHand at_hand;
    for (const CompositionNode* leaf : leaves_of(node)) {
      if (loaded.contains(leaf->name)) continue;
      LoadedAdapter& one = loaded[leaf->name] = load(leaf->name);
      require(one.adapter != nullptr, ErrorKind::kUsage,
              "{} has a head but no adapter, so it cannot stand in {}", leaf->name,
              composition_text(node));
      at_hand[leaf->name] = one.adapter.get();
    }
    return compose(name, composition_text(node), at_hand, model_->facts(), 0);
  }

  const LearnersSource& source_;
  Folders folders_;
  std::shared_ptr<const Model> model_;
  OpenedLearners opened_;
};

// After its adapter, or what it says where that is not enough.
std::vector<std::string> names_of(const std::vector<CompositionNode>& parts) {
  std::map<std::string, int> seen;
  for (const CompositionNode& part : parts) {
    if (leaves_of(part).size() == 1) ++seen[leaves_of(part)[0]->name];
  }
  std::vector<std::string> names;
  names.reserve(parts.size());
  std::set<std::string> taken;
  for (const CompositionNode& part : parts) {
    std::vector<const CompositionNode*> leaves = leaves_of(part);
    bool one = leaves.size() == 1 && seen[leaves[0]->name] == 1;
    names.push_back(one ? leaves[0]->name : composition_text(part));
    require(taken.insert(names.back()).second, ErrorKind::kUsage,
            "{} stands twice in parallel; leave one out", names.back());
  }
  return names;
}

}  // namespace

std::pair<std::string, fs::path> named_folder(const std::string& item) {
  std::size_t equal = item.find('=');
  require(equal != std::string::npos && equal > 0 && equal + 1 < item.size(), ErrorKind::kUsage,
          "adapters: \"{}\" is not name=FOLDER", item);
  return {item.substr(0, equal), item.substr(equal + 1)};
}

OpenedLearners open_learners(const LearnersSource& source) {
  auto given = folders_of(source.adapters);
  Opener opener(source, given);
  if (source.compose.empty()) {
    for (const auto& [name, folder] : given) opener.add(name, CompositionNode{.name = name});
    bool headless = !source.task.empty() && find_task(source.task).layer != OutputLayer::kHead;
    if (headless) opener.add(kBaseName, LoadedAdapter());
    return opener.finish();
  }
  CompositionNode node = parse_composition(source.compose);
  std::vector<CompositionNode> parts{node};
  if (node.what == Composing::kParallel) parts = node.children;
  std::vector<std::string> names = names_of(parts);
  for (std::size_t i = 0; i < parts.size(); ++i) opener.add(names[i], parts[i]);
  return opener.finish();
}

std::vector<std::size_t> learners_of_rows(const Dataset& data,
                                          const std::vector<NamedLearner>& learners) {
  std::vector<std::string> names;
  names.reserve(learners.size());
  for (const NamedLearner& named : learners) names.push_back(named.name);
  std::vector<std::size_t> choice;
  choice.reserve(data.examples.size());
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    std::string wanted = data.examples[i].adapter.empty() ? kBaseName : data.examples[i].adapter;
    auto found = std::find(names.begin(), names.end(), wanted);
    auto where = [&]() { return fmt::format("{} (row {})", data.place(i), data.examples[i].row); };
    require(found != names.end() || wanted != kBaseName, ErrorKind::kInput,
            "{}: no adapter is named, and the base alone has no head; name one of {}, or give "
            "--task with one that needs no head",
            where(), listed(names));
    require(found != names.end(), ErrorKind::kInput,
            "{}: adapter \"{}\" is none of {}; did you mean \"{}\"?", where(), wanted,
            listed(names), nearest_name(wanted, names));
    choice.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return choice;
}

int64_t positions_taken(const std::vector<NamedLearner>& learners) {
  int64_t taken = 0;
  for (const NamedLearner& named : learners)
    taken = std::max(taken, positions_taken(named.learner));
  return taken;
}

}  // namespace inlay
