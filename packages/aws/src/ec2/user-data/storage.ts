/**
 * Scratch space on the machine's own NVMe disks, at /mnt/scratch. What is on them is gone after a stop, and still there
 * after a reboot. Several disks become one where mdadm is installed; where it is not, the first is taken alone. Disks that
 * something else uses are left alone: AWS's deep learning images make one volume of them at /opt/dlami/nvme, and then
 * /mnt/scratch leads there.
 */
export const STORAGE = `storage() {
  local at=$ROOT/mnt/scratch label=muster-scratch dlami=$ROOT/opt/dlami/nvme device name model disks=()
  mountpoint -q "$at" && return
  if mountpoint -q "$dlami"; then
    ln -sfn "$dlami" "$at"
    return
  fi
  device=$(blkid -L $label)
  if [ -z "$device" ]; then
    while read -r name model; do
      # Only what bears no partition, volume or file system.
      [[ $model == *"Instance Storage"* ]] && [ -z "$(lsblk -nro FSTYPE,MOUNTPOINT "$name" | tr -d ' \\n')" ] &&
        [ "$(lsblk -nro NAME "$name" | wc -l)" = 1 ] && disks+=("$name")
    done < <(lsblk -dnpo NAME,MODEL)
    device=\${disks[0]:-}
    [ -n "$device" ] || return
    if [ "\${#disks[@]}" -gt 1 ] && has mdadm &&
      mdadm --create /dev/md/muster --run --level=0 --raid-devices="\${#disks[@]}" "\${disks[@]}"; then
      device=/dev/md/muster
    fi
    mkfs.ext4 -q -F -E nodiscard -L $label "$device" || return
  fi
  mkdir -p "$at" && mount -o noatime "$device" "$at" && say "scratch: $device"
}

`;
