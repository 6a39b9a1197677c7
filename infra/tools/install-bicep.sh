#!/usr/bin/env bash
# Fetches the Bicep compiler from the NuGet feed that this machine is set up with and prints the path of its executable.
# Ends with 69 if there is no .NET SDK or the feed does not serve the package, which no repetition fixes; with 1 after
# three other failures.
set -euo pipefail
cd "$(dirname "$0")/../.."
packages="$PWD/.local/nuget"
package='azure.bicep.commandline.linux-x64'
version="$(sed -n 's/.*Version="\[\(.*\)\]".*/\1/p' infra/tools/bicep.csproj)"
executable="$packages/$package/$version/tools/bicep"

command -v dotnet >/dev/null || exit 69
for try in 1 2 3; do
  [ -f "$executable" ] && break
  [ "$try" = 1 ] || sleep $((try * 5))
  log="$(dotnet restore infra/tools/bicep.csproj --packages "$packages" -p:BaseIntermediateOutputPath="$PWD/.local/bicep/" 2>&1)" && continue
  printf '%s\n' "$log" >&2
  if grep -qE 'NU110[12]' <<<"$log"; then exit 69; fi
done
[ -f "$executable" ] || exit 1
chmod +x "$executable"
printf '%s\n' "$executable"
