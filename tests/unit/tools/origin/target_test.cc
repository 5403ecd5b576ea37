#include "tools/origin/target.h"

#include <gtest/gtest.h>

namespace weir::origin {
namespace {

using std::chrono::milliseconds;

TEST(OriginTarget, PathsChooseTheSubject) {
  struct Row {
    const char* target;
    Subject subject;
  };
  const Row rows[] = {
      {"/", Subject::hello},
      {"*", Subject::hello},
      {"/?a=b", Subject::hello},
      {"http://host:80", Subject::hello},
      {"http://host:80/count?x", Subject::count},
      {"/bytes/10", Subject::pattern},
      {"/status/404", Subject::status},
      {"/echo", Subject::echo},
      {"/echo/any/thing?x=y", Subject::echo},
      {"/dribble", Subject::dribble},
      {"/endless", Subject::endless},
      {"/health", Subject::health},
      {"/count", Subject::count},
      {"/conns", Subject::conns},
      {"/stats", Subject::stats},
      {"/delay/5", Subject::hello},
      {"/delay/5/bytes/3", Subject::pattern},
      {"/fail/status/503?mode=half", Subject::status},
  };
  for (const Row& row : rows) EXPECT_EQ(read_target(row.target, {}).subject, row.subject) << row.target;
}

TEST(OriginTarget, WhatMakesNoSenseIsSaid) {
  struct Row {
    const char* target;
    int status;
  };
  const Row rows[] = {
      {"/nope", 404},
      {"/counts", 404},
      {"/count/x", 404},
      {"/bytesx/1", 404},
      {"/bytes/x", 400},
      {"/bytes", 400},
      {"/status/99", 400},
      {"/status/100", 400},
      {"/status/600", 400},
      {"/delay/x", 400},
      {"/delay", 400},
      {"/fail", 400},
      {"/fail?mode=x", 400},
      {"/fail?mode=reset&rate=2", 400},
      {"/dribble?bytes=x", 400},
      {"/dribble?every=0", 400},
      {"/delay/5/nope", 404},
  };
  for (const Row& row : rows) {
    const Answer answer = read_target(row.target, {});
    EXPECT_EQ(answer.subject, Subject::complaint) << row.target;
    EXPECT_EQ(answer.status, row.status) << row.target;
    EXPECT_FALSE(answer.complaint.empty()) << row.target;
  }
}

TEST(OriginTarget, ParametersAreRead) {
  const Answer bytes = read_target("/delay/20/delay/2s/bytes/64KiB?chunked=1", {});
  EXPECT_EQ(bytes.bytes, 65536u);
  EXPECT_TRUE(bytes.chunked);
  EXPECT_EQ(bytes.delay, milliseconds{2020});
  EXPECT_FALSE(read_target("/bytes/1?chunked=0", {}).chunked);

  const Answer dribble = read_target("/dribble?every=7&bytes=3", {});
  EXPECT_EQ(dribble.bytes, 3u);
  EXPECT_EQ(dribble.every, milliseconds{7});

  const Answer fail = read_target("/fail/bytes/8?rate=0.3&mode=garbage", {});
  EXPECT_EQ(fail.fail, FailMode::garbage);
  EXPECT_EQ(fail.fail_rate, 0.3);
  EXPECT_EQ(fail.bytes, 8u);
}

TEST(OriginTarget, TheFallbackAnswersRootAndUnlistedPathsOnly) {
  const Answer fallback = read_target("/delay/10/fail/bytes/5?mode=half&rate=0.5", {});
  for (const char* target : {"/", "/api/users", "/delay/1"}) {
    const Answer answer = read_target(target, fallback);
    EXPECT_EQ(answer.subject, Subject::pattern) << target;
    EXPECT_EQ(answer.bytes, 5u);
    EXPECT_EQ(answer.fail, FailMode::half);
  }
  EXPECT_EQ(read_target("/delay/1", fallback).delay, milliseconds{11});
  EXPECT_EQ(read_target("/fail?mode=reset", fallback).fail, FailMode::reset);
  EXPECT_EQ(read_target("/echo", fallback).subject, Subject::echo);
  EXPECT_EQ(read_target("/echo", fallback).fail, FailMode::none);
}

}  // namespace
}  // namespace weir::origin
