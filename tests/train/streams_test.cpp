// Closed and broken standard streams, and the protocol of the benchmark harness, each in a process of its own.
#include "tests/train/run.h"

#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>

namespace dlcc::training::test {

class Streams : public Train {
protected:
  /// Runs `body` in a child whose streams are `in`, `out`, `err` (file names), and returns its exit code.
  template <class Body>
  int in_child(const std::string& in, const std::string& out, const std::string& err, Body&& body) {
    const pid_t child = fork();
    if (child == 0) {
      const std::string names[] = {in, out, err};
      for (int fd = 0; fd < 3; ++fd) {
        const int file = open(names[fd].c_str(), fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (file >= 0) dup2(file, fd);
      }
      const int code = body();
      std::fflush(nullptr);
      _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
};

TEST_F(Streams, AFullStdoutOrStderrDoesNotStopTraining) {
  EXPECT_EQ(in_child("/dev/null", "/dev/full", "/dev/full", [&] { return train(job_, options_); }), 0);
  EXPECT_TRUE(exists("out/last.safetensors"));
  PredictOptions p;
  p.weights = path("out");
  EXPECT_EQ(in_child("/dev/null", "/dev/full", path("err"), [&] { return predict(job_, p); }), 6);
  EXPECT_HAS(read("err"), "cannot write to the standard output: No space left on device");
}

TEST_F(Streams, ABrokenPipeIsNoError) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  auto to_pipe = [&](auto body) {
    return in_child("/dev/null", "/dev/null", "/dev/null", [&] {
      signal(SIGPIPE, SIG_DFL);
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      return body();
    });
  };
  EXPECT_EQ(to_pipe([&] { return train(job_, options_); }), 0);
  PredictOptions p;
  p.weights = path("out");
  EXPECT_EQ(to_pipe([&] { return predict(job_, p); }), 0);
  EvaluateOptions e;
  e.weights = path("out");
  EXPECT_EQ(to_pipe([&] { return evaluate(job_, e); }), 0);
  close(ends[1]);
}

TEST_F(Streams, ServesBenchmarks) {
  std::ofstream(path("in")) << "run 3\nrun 20\nquit\n";
  BenchOptions b;
  b.serve = true;
  b.version = "0.1";
  b.idle_mib = 7;
  ASSERT_EQ(in_child(path("in"), path("stdout"), path("stderr"), [&] { return bench(job_, b); }), 0);
  const auto out = lines("stdout");
  ASSERT_EQ(out.size(), 3u);
  EXPECT_TRUE(std::regex_match(
      out[0], std::regex(R"(ready \{"peer":"dlcc 0\.1","first_step_s":[0-9.e-]+,"peak_mib":[0-9]+,"idle_mib":7\})")))
      << out[0];
  EXPECT_GT(std::stoll(out[1]), 0);
  EXPECT_GT(std::stoll(out[2]), 0);
  std::ofstream(path("in")) << "jump\n";
  EXPECT_EQ(in_child(path("in"), path("stdout"), path("stderr"), [&] { return bench(job_, b); }), 2);
  EXPECT_HAS(read("stderr"), "expected 'run K' or 'quit' [protocol]");
}

} // namespace dlcc::training::test
