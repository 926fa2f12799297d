/**
 * A shell script in the place of runc: before a container is made, or something is run in one, it puts the
 * values of Secrets where their placeholders stand, in the files that runc is told of. Those lie in memory.
 * What runc says of a failure goes the other way before containerd, which keeps it on the disk, reads it.
 * @param valuesDir a folder a container that has such values, by the container's id, with two sed scripts: `in`
 * puts values in the place of placeholders, `out` placeholders in the place of values
 */
export const runcWrapper = (runc: string, valuesDir: string): string => `#!/bin/sh
# Written by keylet up. The container's id is runc's last argument.
id=
for word; do id=$word; done
values=${quoted(valuesDir)}/$id
if [ -n "$id" ] && [ -f "$values/in" ]; then
  option=
  starts=
  log=
  for word; do
    file=
    case $option in
      --bundle | -b) file=$word/config.json ;;
      --process | -p) file=$word ;;
      --log) log=$word ;;
    esac
    if [ -n "$file" ]; then
      LC_ALL=C sed -i -f "$values/in" "$file" || exit 1
    fi
    case $word in create | start) starts=yes ;; esac
    option=$word
  done
  if [ -n "$starts" ] && [ -n "$log" ]; then
    ${quoted(runc)} "$@"
    code=$?
    if [ "$code" -ne 0 ] && [ -f "$log" ]; then
      LC_ALL=C sed -i -f "$values/out" "$log"
    fi
    exit "$code"
  fi
fi
exec ${quoted(runc)} "$@"
`;

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
