#include "hub/subprocess.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

extern char** environ;

namespace inlay {
namespace {

constexpr std::size_t kKeptOutput = 64u << 10;

// The child's stdout and stderr lead into `write_end`, its stdin is empty.
class SpawnActions {
 public:
  SpawnActions(const std::filesystem::path& folder, int write_end) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, write_end, 1);
    posix_spawn_file_actions_adddup2(&actions_, write_end, 2);
    posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
  }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::string read_to_end(int fd) {
  std::string kept;
  std::array<char, 4096> buffer;
  while (true) {
    ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return kept;
    kept.append(buffer.data(), static_cast<std::size_t>(got));
    if (kept.size() > kKeptOutput) kept.erase(0, kept.size() - kKeptOutput);
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

SubprocessResult run_program(const std::vector<std::string>& arguments,
                             const std::filesystem::path& folder) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::array<int, 2> pipe{};
  require(::pipe2(pipe.data(), O_CLOEXEC) == 0, ErrorKind::kIo, "cannot run {}: {}", arguments[0],
          std::strerror(errno));
  pid_t child = 0;
  int error = ::posix_spawnp(&child, argv[0], SpawnActions(folder, pipe[1]).get(), nullptr,
                             argv.data(), environ);
  ::close(pipe[1]);
  SubprocessResult result;
  if (error == 0) {
    result.output = read_to_end(pipe[0]);
    result.exit_status = wait_for(child);
  }
  ::close(pipe[0]);
  result.found = error != ENOENT;
  require(error == 0 || error == ENOENT, ErrorKind::kIo, "cannot run {}: {}", arguments[0],
          std::strerror(error));
  return result;
}

}  // namespace inlay
