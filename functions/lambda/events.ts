/** The function `events`: what AWS tells of its own accord. */
import { ec2 } from "../events/ec2.ts";
import { world } from "../world/fleet.ts";

export const handler = ec2(world);
