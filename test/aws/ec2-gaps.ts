/** What the edge answers in moto's place where moto has nothing, or something else than EC2. All of it is OURS. */
import * as Ec2 from "@aws-sdk/client-ec2";
import { AwsError, type Gap } from "./support/edge.ts";

export const BLOCK = "cr-0b10c0000000000b1";
export const RESERVED = "cr-00000000000000001";

/** Tags of the placement groups, as XML. */
const made = new Map<string, string>();

/** Placement groups, which are kept in `groups`, and two reservations. */
export const gapsOf = (groups: Set<string>): Readonly<Record<string, Gap>> => ({
  "ec2.CreatePlacementGroup": input => {
    const name = String(input.GroupName);
    if (groups.has(name)) throw new AwsError("InvalidPlacementGroup.Duplicate", `The placement group ${name} exists.`);
    groups.add(`${name}`);
    made.set(name, tagsIn(input));
    return `<CreatePlacementGroupResponse><placementGroup><groupName>${name}</groupName></placementGroup></CreatePlacementGroupResponse>`;
  },
  "ec2.DescribePlacementGroups": () => {
    const items = [...groups].map(name => `<item><groupName>${name}</groupName>${made.get(name) ?? ""}</item>`);
    return `<DescribePlacementGroupsResponse><placementGroupSet>${items.join("")}</placementGroupSet></DescribePlacementGroupsResponse>`;
  },
  "ec2.DeletePlacementGroup": input => {
    groups.delete(String(input.GroupName));
    return "<DeletePlacementGroupResponse><return>true</return></DeletePlacementGroupResponse>";
  },
  "ec2.DescribeCapacityReservations": input => {
    const id = String(input["CapacityReservationId.1"]);
    if (id !== BLOCK && id !== RESERVED)
      throw new AwsError("InvalidCapacityReservationId.NotFound", `The capacity reservation ${id} does not exist`);
    const kind = id === BLOCK ? "capacity-block" : "default";
    return `<DescribeCapacityReservationsResponse><capacityReservationSet><item><capacityReservationId>${id}</capacityReservationId><reservationType>${kind}</reservationType></item></capacityReservationSet></DescribeCapacityReservationsResponse>`;
  },
});

/** While `partly.isNext`, starts one machine, and then says that there is no capacity. */
export const starting =
  (raw: Ec2.EC2Client, partly: { isNext: boolean }): Gap =>
  async (input, next) => {
    if (!partly.isNext) return next();
    partly.isNext = false;
    await raw.send(new Ec2.StartInstancesCommand({ InstanceIds: [String(input["InstanceId.1"])] }));
    throw new AwsError("InsufficientInstanceCapacity", "There is no capacity for the others.", 500);
  };

/**
 * Moto ends machines one after the other until it meets an unknown id, and fails for one that has ended already and had a
 * network interface of its own. EC2, by its reference, ends none when one is unknown, and takes ended ones for success.
 */
export const terminating =
  (raw: Ec2.EC2Client): Gap =>
  async (input, next) => {
    const ids = Object.keys(input).flatMap(key => (key.startsWith("InstanceId.") ? [String(input[key])] : []));
    const malformed = ids.find(id => !/^i-[0-9a-f]+$/.test(id));
    if (malformed !== undefined) throw new AwsError("InvalidInstanceID.Malformed", `Invalid id: "${malformed}"`);
    const filters = [{ Name: "instance-id", Values: ids }];
    const { Reservations: found = [] } = await raw.send(new Ec2.DescribeInstancesCommand({ Filters: filters }));
    const known = new Map(found.flatMap(one => one.Instances ?? []).map(one => [one.InstanceId!, one.State?.Name]));
    const unknown = ids.filter(id => !known.has(id));
    if (unknown.length > 0)
      throw new AwsError("InvalidInstanceID.NotFound", `The instance IDs '${unknown.join(", ")}' do not exist`);
    const left = ids.filter(id => known.get(id) !== "terminated");
    if (left.length === ids.length) return next();
    if (left.length > 0) await raw.send(new Ec2.TerminateInstancesCommand({ InstanceIds: left }));
    return "<TerminateInstancesResponse><instancesSet/></TerminateInstancesResponse>";
  };

function tagsIn(input: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(input).filter(key => /^TagSpecification\.1\.Tag\.\d+\.Key$/.test(key));
  const items = keys.map(
    key => `<item><key>${input[key]}</key><value>${input[key.replace(/Key$/, "Value")]}</value></item>`,
  );
  return `<tagSet>${items.join("")}</tagSet>`;
}
