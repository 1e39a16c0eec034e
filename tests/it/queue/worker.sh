#!/bin/sh
# A worker for the tests of the queue: what a job does stands in its label.
# Usage: worker.sh RESULTS. RESULTS/record.template is a record whose key is KEY.
results=$1

publish() {
    sed "s/KEY/$1/" "$results/record.template" >"$results/jobs/$1/.record.json.$$.tmp"
    mv "$results/jobs/$1/.record.json.$$.tmp" "$results/jobs/$1/record.json"
}

finished() {
    printf '{"finished":{"key":"%s","headline":["mcc",0.5],"seconds":0.1}}\n' "$1"
}

# Waits, at most ten seconds, until $1 files named $2* are there.
await() {
    tries=0
    while [ "$(find "$results" -maxdepth 1 -name "$2*" | wc -l)" -lt "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || exit 7
        sleep 0.02
    done
}

printf '{"hello":{"pid":%d,"device":"cpu"}}\n' $$
while IFS= read -r line; do
    case $line in
    '') continue ;;
    '"shutdown"') exit 0 ;;
    '"pause"') continue ;;
    esac
    rest=${line#*\"key\":\"}
    key=${rest%%\"*}
    rest=${line#*\"label\":\"}
    label=${rest%%\"*}
    echo "$key" >>"$results/executions"
    case $label in
    good)
        printf '{"progress":{"key":"%s","step":1,"steps":2,"loss":null}}\n' "$key"
        publish "$key"
        finished "$key"
        ;;
    meet)
        : >"$results/met.$key"
        await 2 met.
        publish "$key"
        finished "$key"
        ;;
    wait)
        : >"$results/waiting.$key"
        await 1 go
        publish "$key"
        finished "$key"
        ;;
    pausable)
        : >"$results/waiting.$key"
        IFS= read -r line
        [ -n "$line" ] || IFS= read -r line
        [ "$line" = '"pause"' ] || exit 8
        printf '{"paused":{"key":"%s","step":7}}\n' "$key"
        ;;
    stubborn)
        # Hears no pause.
        : >"$results/waiting.$key"
        sleep 30
        ;;
    sleeper)
        # Stopped, and continued by a test; by then another attempt has begun.
        kill -STOP $$
        publish "$key"
        finished "$key"
        ;;
    full)
        printf '{"storage":{"key":"%s","message":"record.json: No space left on device"}}\n' "$key"
        ;;
    memory)
        # Two sequences at a time fit.
        rest=${line#*\"micro_batch\":}
        rows=${rest%%[,\}]*}
        echo "$key $rows" >>"$results/rows"
        if [ "$rows" -gt 2 ]; then
            echo 'memory allocation of 99999999999 bytes failed' >&2
            kill -ABRT $$
        fi
        publish "$key"
        finished "$key"
        ;;
    environment)
        printf '%s %s %s\n' "$RAYON_NUM_THREADS" "$CUDA_VISIBLE_DEVICES" "$FROM_CALLER" >"$results/environment.$key"
        publish "$key"
        finished "$key"
        ;;
    garbage)
        printf 'warming up\n\377\376\000 { "finished": \n\n{"finished":{"key":"%s"}}\n"shutdown"\n' "$key"
        printf '{"progress":{"key":"another","step":1,"steps":2,"loss":0.5}}\n'
        publish "$key"
        printf 'half a line'
        printf '\n'
        finished "$key"
        ;;
    warns)
        echo 'out of memory, going on with less' >&2
        # Until the scheduler has read it.
        sleep 0.2
        publish "$key"
        finished "$key"
        ;;
    killed)
        echo 'about to be killed' >&2
        kill -9 $$
        ;;
    segfault) kill -SEGV $$ ;;
    litter)
        printf '{"format"' >"$results/jobs/$key/.record.json.$$.tmp"
        kill -9 $$
        ;;
    exit)
        for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do
            echo "line $number" >&2
        done
        exit 3
        ;;
    panic)
        echo "thread 'main' panicked at src/train/mod.rs:1:2:" >&2
        echo 'shapes differ' >&2
        exit 101
        ;;
    allocation)
        echo 'memory allocation of 99999999999 bytes failed' >&2
        kill -ABRT $$
        ;;
    diverged)
        echo 'loss is NaN' >&2
        printf '{"failed":{"key":"%s","failure":{"outcome":"diverged","message":"at step 3","stderr_tail":[]}}}\n' "$key"
        ;;
    liar) finished "$key" ;;
    half)
        printf '{"format":1,"key"' >"$results/jobs/$key/record.json"
        finished "$key"
        ;;
    foreign) finished another ;;
    last-words)
        publish "$key"
        kill -9 $$
        ;;
    heir)
        # A child of the worker keeps its streams open.
        sleep 30 &
        echo $! >"$results/heir"
        kill -9 $$
        ;;
    deaf)
        exec >&-
        sleep 30
        ;;
    esac
done
