#!/usr/bin/env bash
# A private Kafka: one node in KRaft mode, from its Maven artefacts. Every verb takes the directory of a set:
#   scripts/services/kafka.sh start .local/services
# shellcheck source=scripts/services/server.sh
source "$(dirname "${BASH_SOURCE[0]}")/server.sh"
enter kafka "${2:-}"

stop_signal=TERM
properties="$home/server.properties"
mark="kafka.Kafka $properties"
pom="$here/kafka/pom.xml"
version=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$pom")
jars="$local_dir/kafka-$version" # one download for all sets of this checkout

java_present() {
  java=${JAVA_HOME:+$JAVA_HOME/bin/}java
  command -v "$java" >/dev/null || return 1
  local major
  major=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  ((${major:-0} >= 17))
}

# A JAVA_HOME that leads nowhere is a slip of the caller's shell, which no package mends.
java_home_leads_somewhere() {
  [[ -z "${JAVA_HOME:-}" || -x "$JAVA_HOME/bin/java" ]] ||
    die "JAVA_HOME is $JAVA_HOME, and there is no $JAVA_HOME/bin/java" "unset JAVA_HOME, or set it to the home of a Java 17 or newer, then the same command again"
}

programs_present() {
  java_home_leads_somewhere
  java_present && { [[ -d "$jars" ]] || command -v mvn >/dev/null; }
}

install_programs() {
  local missing=()
  java_home_leads_somewhere
  java_present || missing+=(default-jre-headless)
  [[ -d "$jars" ]] || command -v mvn >/dev/null || missing+=(maven)
  if ((${#missing[@]})); then install_packages "a private Kafka (Java 17 or newer, Maven to fetch it)" "${missing[@]}"; fi
  java_present || die "Java is missing or older than 17: $("$java" -version 2>&1 | head -n 1)" "apt-get install openjdk-17-jre-headless, or set JAVA_HOME to a newer one"
  [[ -d "$jars" ]] || download
}

# download: into a directory beside, moved into place when complete; one command at a time.
download() {
  local fetched="$local_dir/logs/kafka-download.log"
  exec 8>"$local_dir/kafka-download.lock"
  flock 8
  if [[ -d "$jars" ]]; then
    exec 8>&-
    return
  fi
  need_disk "$local_dir" 512 "the download of Kafka"
  mkdir -p "$local_dir/logs"
  say "kafka: downloading Kafka $version with Maven (about 45 MB; log: $fetched)"
  rm -rf "$jars.new"
  with_heartbeat "downloading Kafka" "$fetched" \
    mvn -B -ntp -f "$pom" dependency:copy-dependencies -DoutputDirectory="$jars.new" || {
    rm -rf "$jars.new"
    last_lines "$fetched"
    die "Maven could not download Kafka $version" "see $fetched (is Maven Central reachable?), then the same command again"
  }
  mv -T "$jars.new" "$jars"
  exec 8>&-
}

# A broker tells its clients where to find it, so a proxy in front of it is passed by, unless a listener of its own
# tells the proxy's address. `start <set> --proxied` adds that listener, and every later start keeps it.
proxied_ports() {
  if [[ "${1:-}" == --proxied || -s "$home/proxied-port" ]]; then
    proxied_port=$(remembered_port "$home/proxied-port" $((port + 2)) "kafka behind a proxy")
    # The proxy listens there already when the broker is started again, so it is chosen once.
    [[ -s "$home/proxy-port" ]] || remembered_port "$home/proxy-port" $((port + 3)) "kafka's proxy" "$proxied_port" >/dev/null
    proxy_port=$(<"$home/proxy-port")
  fi
}

write_properties() {
  local more='' advertised='' protocol=''
  if [[ -n "${proxied_port:-}" ]]; then
    more=,PROXIED://127.0.0.1:$proxied_port advertised=,PROXIED://127.0.0.1:$proxy_port protocol=,PROXIED:PLAINTEXT
  fi
  cat >"$properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port$more
advertised.listeners=PLAINTEXT://127.0.0.1:$port$advertised
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT$protocol
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$data
auto.create.topics.enable=false
# One node: internal topics cannot have the three copies Kafka asks for by default.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# A broker that was killed may not register again before its former session has ended: 9 s by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# A consumer alone in its group need not wait for others to arrive.
group.initial.rebalance.delay.ms=0
END
}

# Small and quick to start, for a laptop; ORDO_KAFKA_PLAIN=1 takes the flags of Kafka's own start script, for measuring.
jvm_flags() {
  if [[ "${ORDO_KAFKA_PLAIN:-}" == 1 ]]; then
    flags=(-server -Xms1g -Xmx1g -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent)
  else
    flags=(-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
  fi
  flags+=(-XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars/*")
}

# format: gives the data directory its cluster id. A directory without it is an unfinished one, unless there are topics.
format() {
  [[ ! -s "$data/meta.properties" ]] || return 0
  local cluster_id
  refuse_topics_without_id
  # A Kafka id is 16 bytes in base64; without the two characters that differ for URLs it is right in either form.
  cluster_id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AA' | tr -d '=')
  rm -rf "$data"
  "$java" "${flags[@]}" kafka.tools.StorageTool format -t "$cluster_id" -c "$properties" >>"$log" 2>&1 || died
}

# refuse_topics_without_id: data that has lost its meta.properties is not ours to delete. The id of the directory in that
# file is what Kafka finds its topics by, so nothing but the copy replaces it.
refuse_topics_without_id() {
  [[ -d "$data" ]] || return 0
  local partitions repair=''
  partitions=$(find "$data" -mindepth 1 -maxdepth 1 -type d -name '*-[0-9]*' ! -name '__cluster_metadata-*' | wc -l)
  ((partitions > 0)) || return 0
  if [[ -s "$home/meta.properties" ]]; then repair="cp $home/meta.properties $data/, then the same command again, or "; fi
  die "$data holds $partitions partitions of topics, but its meta.properties is empty or gone, and Kafka does not open it without" \
    "${repair}make clean-data (asks before it deletes)"
}

# keep_id: the copy that repairs a directory. Renamed into place, so that it is never half a file itself.
keep_id() {
  if [[ -s "$data/meta.properties" ]] && ! cmp -s "$data/meta.properties" "$home/meta.properties"; then
    cp "$data/meta.properties" "$home/meta.properties.new"
    mv "$home/meta.properties.new" "$home/meta.properties"
  fi
}

# start_local [--proxied]: a second start on a running broker only checks it.
start_local() {
  local pid
  install_programs
  jvm_flags
  if pid=$(server_pid); then
    resume
    port=$(<"$home/port")
    await_ready
    keep_id
    say "kafka: already running on $(address) (pid $pid)"
    return
  fi
  port=$(remembered_port "$home/port" "$(own_port_range "$home")" kafka)
  controller_port=$(remembered_port "$home/controller-port" $((port + 1)) "kafka's controller")
  proxied_ports "$@"
  write_properties
  format
  launch "$pid_file" "$log" "$java" "${flags[@]}" kafka.Kafka "$properties"
  await_ready
  keep_id
  say "kafka: ready on $(address) (pid $(server_pid))"
}

# await_ready: until the broker finds a group's coordinator. That needs the topic of consumer offsets, which the first
# question makes, so that the first consumer group does not pay the seconds this takes.
await_ready() {
  local deadline=$((SECONDS + 90)) spoken=$SECONDS
  until finds_coordinator; do
    [[ "$source" == docker ]] || just_launched "$pid_file" || died
    if ((SECONDS >= deadline)); then
      last_lines "$log"
      die "kafka does not serve consumer groups on port $port after 90 s" "tail -f $log"
    fi
    if ((SECONDS - spoken >= 5)); then
      spoken=$SECONDS
      say "… waiting for kafka"
    fi
    sleep 0.1
  done
}

# finds_coordinator: asks FindCoordinator (key 10, version 2) for group "warm-up"; bytes 13 and 14 of the answer are
# the error code. Spoken by hand, because each of Kafka's own tools starts a Java machine of its own.
finds_coordinator() {
  local answer
  answer=$(
    exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
    printf '\0\0\0\x18\0\x0a\0\x02\0\0\0\x01\0\x04ordo\0\x07warm-up\0' >&3
    timeout 2 head -c 14 <&3 | od -An -tu1 | tr -s ' \n' ' '
  ) || return 1
  [[ "$answer" =~ ^( [0-9]+){12}\ 0\ 0\ ?$ ]]
}

container_settings() {
  port=$([[ -s "$home/port" ]] && cat "$home/port" || remembered_port "$home/port" "$(own_port_range "$home")" kafka)
  export ORDO_KAFKA_PORT=$port
}
finish_container() {
  await_ready
  say "kafka: ready on $(address) (container)"
}

address() { printf '127.0.0.1:%s' "$(cat "$home/port" 2>/dev/null || printf '?')"; }
environment() {
  printf 'KAFKA_BROKERS=%s\n' "$(address)"
  if [[ -s "$home/proxied-port" ]]; then
    printf 'KAFKA_PROXIED=127.0.0.1:%s\nKAFKA_PROXY=127.0.0.1:%s\n' "$(<"$home/proxied-port")" "$(<"$home/proxy-port")"
  fi
}

run_verb "$@"
