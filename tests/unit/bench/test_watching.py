from collections import Counter

from tests.bench.watching import Asked, Watch, script_names

SHA = next(sha for sha, name in script_names().items() if name == "begin")


def test_commands_are_counted_by_the_script_they_run_and_the_key_they_name() -> None:
    watch = Watch()
    watch.take(b'+1763800000.1 [0 unix:/s] "EVALSHA" "%s" "15" "conv:{s0}:0-1" "conv:{s0}:0-1"\r\n' % SHA.encode())
    watch.take(b'+1763800000.2 [0 unix:/s] "BLMPOP" "0.5" "1" "queue:{s0}:dialog:bell"\r\n')
    watch.take(b'+1763800000.3 [0 127.0.0.1:5] "evalsha" "0123" "1" "a \\"{s0}\\""\r\n')
    assert watch.asked == Counter(
        {
            Asked("begin", "conv:{s0}:0-1"): 1,
            Asked("BLMPOP", "queue:{s0}:dialog:bell"): 1,
            Asked("another script", 'a \\"{s0}\\"'): 1,
        }
    )


def test_what_a_script_asks_is_no_round_trip() -> None:
    watch = Watch()
    watch.take(b'+1763800000.1 [0 lua] "HSET" "conv:{s0}:0-1" "state" "idle"\r\n')
    watch.take(b"+OK\r\n")
    assert not watch.asked
