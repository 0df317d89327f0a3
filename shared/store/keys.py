"""Every key in Redis: name, type, life, who writes and who reads it. Functions build keys; nobody formats one.

Those of what calls share (limits, tokens, hosts that are looked up) are built in call_keys.py.

Law: all keys of a conversation, and all queues, carry the hash tag of their shard (`{s0}`), so that every script
touches one slot. The shard is part of a conversation's id: `<shard>-<32 hex digits>`. A call's id is
`<conversationId>.<turn>`. Times inside are milliseconds by Redis' clock; every key but queues, bells, `due` and
`alive` has a TTL, set by the script that writes it ("as conv": 7 days without activity, or a thousandth less).

key                           type    life            written by                        read by
conv:{sN}:<id>                hash    7 days idle (*) CREATE, then all but SWEEP        all scripts, gateway
session:{sN}:<id>             hash    deadline + 60 s COMMIT (INGEST, its owner renew) BEGIN
inbox:{sN}:<id>               list    as conv         INGEST (1,000, 8 MiB), COMMIT     BEGIN, COMMIT, RELEASE
result:{sN}:<id>              string  as conv         RESULT, RECOVER                   BEGIN, COMMIT, RELEASE
outbox:{sN}:<id>              list    as conv         INGEST, COMMIT (1,000, 8 MiB)     READ
seen:{sN}:<id>                zset    24 h            INGEST (last 2,000)               INGEST
posted:{sN}:<id>:<stamp>      string  2 s             INGEST (Web View)                 INGEST
taken:{sN}:<id>               string  1 min           INGEST (Web View)                 INGEST
used:{sN}:<id>:<capability>   string  its own         INGEST (Web View)                 INGEST
receipt:{sN}:<receipt>        hash    24 h            INGEST (Web View), COMMIT         gateway
receipts:{sN}:<id>            list    24 h            INGEST (Web View, last 1,000)     FORGET
origins:{sN}:<botId>          hash    30 days         INGEST (Web View, at most 101)    command line
trace:{sN}:<id>               list    1 h, 24 h (run) COMMIT (last 100 turns)           gateway
context:{sN}:<id>             hash    longest field   COMMIT                            BEGIN
writes:{sN}:<id>              list    as conv         COMMIT, emptied by RELEASE        BEGIN
call:{sN}:<callId>            hash    deadline + 60 s COMMIT, START, FINISH_ATTEMPT     START
queue:{sN}:dialog             zset    -               INGEST, BEGIN .. RECOVER, worker  dialog workers
queue:{sN}:integration        zset    -               COMMIT, RELEASE, RECOVER, worker  integration workers
<queue>:bell                  list    - (1,000)       with its queue                    workers
due:{sN}                      zset    -               all scripts that move a state     SWEEP
alive:{sN}                    zset    -               CREATE, SWEEP                     SWEEP, FIGURES
conversations:{sN}:<userId>   zset    longest, + 1 d  CREATE, SWEEP, FORGET             command line
sweeper:{sN}                  string  2 s             SWEEP                             SWEEP
dead:{sN}                     stream  30 days, capped COMMIT, emptied by RETRY          command line
notify:{sN}                   channel -               INGEST, COMMIT                    gateways
replicated:{sN}               channel -               store/replicas                    nobody
arq:job:<job id>              string  1 day           with its queue                    workers
taken:{<address>}             string  1 min           TAKE                              TAKE
user:<botId>:{<userId>}       hash    180 days        context.apply                     context.load_forever
context-user:{<ns>|<userId>}  hash    longest field   context.apply                     context.load
context-global:{<ns>}         hash    longest field   context.apply                     context.load
namespaces:{<userId>}         zset    13 months       context.apply                     command line
programs                      zset    6 s             BEAT                              command line
program:{programs}:<program>  string  6 s             BEAT                              command line
guards:{protection}           zset    24 h            ENTER                             command line
guard:{protection}:<guard>    hash    24 h            ENTER, LEAVE                      ENTER, LEAVE, command line
permits:{protection}:<guard>  zset    24 h            ENTER, LEAVE                      ENTER, LEAVE, command line
line:{protection}:<guard>     zset    24 h            ENTER, LEAVE                      ENTER, LEAVE, command line
starts:{protection}:<guard>   zset    24 h            ENTER, LEAVE                      ENTER, command line
planned:{protection}:<guard>  zset    24 h            ENTER, LEAVE                      ENTER, LEAVE, command line
domain:{<account>|<service>}  string  7 days          KEEP_DOMAIN                       LOOK_DOMAIN
domain-lock:{<..>|<..>}       string  10 s            LOOK_DOMAIN                       LOOK_DOMAIN
living:{protection}:<worker>  string  1 min           ENTER, LIVE                       ENTER, LEAVE
told:{protection}:<worker>    list    1 min           ENTER, LEAVE                      integration worker
token:{<credential>}          string  until its end   KEEP_TOKEN                        integration workers
token-failed:{<credential>}   string  2 s             KEEP_TOKEN                        integration workers
token-grant:{<credential>}    string  180 days unused KEEP_TOKEN                        integration workers
token-lock:{<credential>}     string  15 s            integration workers               KEEP_TOKEN
consent:<consent>             string  10 min          command line, gateway, integr. w. the same
bot:<id>, bots                hash, set  -            deploy, run                       gateway, workers
bot-version:<sha256>          string  see store/bots  deploy, run                       dialog workers

(*) one hour until the consumer's first message.
Job ids are `advance:{sN}:<conversation>:<n>` and `call:{sN}:<call>:<n>`: fresh for every scheduling, since arq refuses
an id it still knows, and tagged, since arq builds keys of its own from them.
"""

import re
import secrets
from collections.abc import Iterable
from urllib.parse import quote


def new_conversation_id(shard: int) -> str:
    """Return a fresh id of a conversation on `shard`: 128 random bits, the shard in front."""
    return f"{shard}-{secrets.token_hex(16)}"


def is_conversation_id(text: str) -> bool:
    """Tell whether a text from outside has the form of a conversation's id."""
    return re.fullmatch(r"[0-9]{1,5}-[0-9a-f]{32}", text) is not None


def shard_of(conversation_id: str) -> int:
    """Return the shard that a conversation's or call's id names. Raises ValueError when it is not such an id."""
    shard, dash, rest = conversation_id.partition("-")
    if not (dash and rest and shard.isascii() and shard.isdigit()):
        raise ValueError("A conversation's id is `<shard>-<32 hex digits>`.")
    return int(shard)


def conversation_of(call_id: str) -> str:
    """Return the conversation that a call (`<conversationId>.<turn>`) belongs to."""
    return call_id.rpartition(".")[0]


def tag(shard: int) -> str:
    """Return the hash tag of a shard."""
    return f"{{s{shard}}}"


def kind_of(name: str) -> str:
    """Return the word that a key begins with: what it is, in the table above."""
    return name.partition(":")[0]


def of_conversation(conversation_id: str, kinds: Iterable[str]) -> list[str]:
    """Return a conversation's keys of several kinds, the first words of the table above."""
    place = f":{tag(shard_of(conversation_id))}:{conversation_id}"
    return [kind + place for kind in kinds]


def conv(conversation_id: str) -> str:
    """Hash: who, status, state, job, sequence, turn, tries, fence, lease, awaited call, session deadline."""
    return _of("conv", conversation_id)


def session(conversation_id: str) -> str:
    """Hash: what the session remembers."""
    return _of("session", conversation_id)


def inbox(conversation_id: str) -> str:
    """List: events waiting, oldest first."""
    return _of("inbox", conversation_id)


def outbox(conversation_id: str) -> str:
    """List: messages both ways, oldest first."""
    return _of("outbox", conversation_id)


def result(conversation_id: str) -> str:
    """Return the key of the string with the outcome of the awaited call."""
    return _of("result", conversation_id)


def seen(conversation_id: str) -> str:
    """Sorted set: message id to sequence."""
    return _of("seen", conversation_id)


def posted(conversation_id: str, stamp: str) -> str:
    """Return the key of the string with the answer to a Web View call, for 2 s."""
    return f"{_of('posted', conversation_id)}:{stamp}"


def used(conversation_id: str, capability_id: str) -> str:
    """Return the key of the string with the answer to the call that used up a capability."""
    return f"{_of('used', conversation_id)}:{capability_id}"


def new_receipt_id(conversation_id: str) -> str:
    """Return a fresh id of a receipt: 128 random bits behind the conversation's shard, nothing else of it."""
    return new_conversation_id(shard_of(conversation_id))


def receipt(receipt_id: str) -> str:
    """Hash: what became of a Web View call."""
    return _of("receipt", receipt_id)


def receipts(conversation_id: str) -> str:
    """List: `receipt|stamp of what was posted|capability that it used up` of a conversation's calls, newest last."""
    return _of("receipts", conversation_id)


def origins(shard: int, bot_id: str) -> str:
    """Hash: which origins still use the checksum of Web View calls, and when."""
    return f"origins:{tag(shard)}:{quote(bot_id, safe='')}"


def taken(conversation_id: str) -> str:
    """Return the key of the string that counts a conversation's Web View calls."""
    return _of("taken", conversation_id)


def taken_by(address: str) -> str:
    """Return the key of the string that counts the Web View calls of an address, in a slot of its own."""
    return f"taken:{{{quote(address, safe='')}}}"


def trace(conversation_id: str) -> str:
    """List: what the last turns did."""
    return _of("trace", conversation_id)


def context(conversation_id: str) -> str:
    """Hash: context service data of one conversation."""
    return _of("context", conversation_id)


def writes(conversation_id: str) -> str:
    """List: writes of the last turn to data of other slots."""
    return _of("writes", conversation_id)


def call(call_id: str) -> str:
    """Hash: one call to be made."""
    return _of("call", call_id)


def dialog_queue(shard: int) -> str:
    """Sorted set: jobs that advance a conversation, by due time."""
    return f"queue:{tag(shard)}:dialog"


def integration_queue(shard: int) -> str:
    """Sorted set: jobs that make a call, by due time."""
    return f"queue:{tag(shard)}:integration"


def bell(queue: str) -> str:
    """List: one token per new job, capped; idle workers block on it."""
    return f"{queue}:bell"


def due(shard: int) -> str:
    """Sorted set: conversation to the moment by which something must have happened."""
    return f"due:{tag(shard)}"


def alive(shard: int) -> str:
    """Sorted set: `<conversation>|<its user>` to a moment before which it does not expire."""
    return f"alive:{tag(shard)}"


def conversations(shard: int, user_id: str) -> str:
    """Sorted set: the conversations that a user has on a shard, by when they began."""
    return f"conversations:{tag(shard)}:{user_id}"


def sweeper(shard: int) -> str:
    """Return the key of the string that says who sweeps."""
    return f"sweeper:{tag(shard)}"


def dead(shard: int) -> str:
    """Stream: events given up, with the reason."""
    return f"dead:{tag(shard)}"


def notify(shard: int) -> str:
    """Channel: ids of conversations that have something new to read."""
    return f"notify:{tag(shard)}"


def replicated(shard: int) -> str:
    """Channel: what is published here makes replicas acknowledge all before it; nobody listens."""
    return f"replicated:{tag(shard)}"


def programs() -> str:
    """Sorted set: program to the moment when it last said that it runs."""
    return "programs"


def program(program_id: str) -> str:
    """Return the key of the string that a program says of itself, in the slot of `programs`."""
    return f"program:{{programs}}:{program_id}"


def user(bot_id: str, user_id: str) -> str:
    """Hash: variables kept "forever" for one consumer and bot."""
    return f"user:{quote(bot_id, safe='')}:{{{quote(user_id, safe='')}}}"


def context_user(namespace: str, user_id: str) -> str:
    """Hash: context service data of one consumer."""
    return f"context-user:{{{quote(namespace, safe='')}|{quote(user_id, safe='')}}}"


def namespaces(user_id: str) -> str:
    """Sorted set: the namespaces in which there may be data of a user, by when these end."""
    return f"namespaces:{{{quote(user_id, safe='')}}}"


def context_global(namespace: str) -> str:
    """Hash: context service data of everybody."""
    return f"context-global:{{{quote(namespace, safe='')}}}"


def bot(bot_id: str) -> str:
    """Hash: the current version of a bot."""
    return f"bot:{bot_id}"


def bots() -> str:
    """Set: the ids of all bots that were published."""
    return "bots"


def bot_version(sha: str) -> str:
    """Return the key of the string with one immutable version: export and manifest."""
    return f"bot-version:{sha}"


def _of(kind: str, identifier: str) -> str:
    return f"{kind}:{tag(shard_of(identifier))}:{identifier}"
