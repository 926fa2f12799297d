/**
 * A shell script in the place of runc: before a container is made, or something is run in one, it puts the
 * values of Secrets where their placeholders stand, in the files that runc is told of. Those lie in memory.
 * @param valuesDir a file a container that has such values, by the container's id: a sed script
 */
export const runcWrapper = (runc: string, valuesDir: string): string => `#!/bin/sh
# Written by keylet up. The container's id is runc's last argument.
id=
for word; do id=$word; done
values=${quoted(valuesDir)}/$id
if [ -n "$id" ] && [ -f "$values" ]; then
  option=
  for word; do
    file=
    case $option in
      --bundle | -b) file=$word/config.json ;;
      --process | -p) file=$word ;;
    esac
    if [ -n "$file" ]; then
      LC_ALL=C sed -i -f "$values" "$file" || exit 1
    fi
    option=$word
  done
fi
exec ${quoted(runc)} "$@"
`;

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
