/** What makes things on EC2: machines, and what they need; and the images and snapshots by which they are moved. */
import { equals, type Grant, tagged, tagging, usable } from "./grant.ts";

/** Machines are made, with what they need. */
export const launching: readonly Grant[] = [
  {
    actions: ["ec2:RunInstances"],
    on: ["instance"],
    when: [tagging, equals("ec2:MetadataHttpTokens", "required")],
    why: "It launches machines that bear the deployment's tag and have no IMDSv1.",
  },
  {
    actions: ["ec2:RunInstances"],
    on: ["volume", "network-interface"],
    when: [tagging],
    why: "Disks and interfaces of a machine bear the tag too.",
  },
  {
    actions: ["ec2:RunInstances"],
    on: ["security-group", "placement-group"],
    when: [tagged],
    why: "Machines join only groups of the deployment.",
  },
  {
    actions: ["ec2:RunInstances"],
    on: ["any-subnet", "security-group"],
    when: [usable],
    why: "A task may name subnets and security groups of the account that an administrator tagged for it.",
  },
  {
    actions: ["ec2:RunInstances"],
    on: ["image", "snapshot", "subnet", "spot-instances-request", "capacity-reservation"],
    why: "A launch uses an image, its snapshots, a subnet, and a spot request or a reservation.",
  },
  {
    actions: ["ec2:CreateTags"],
    on: ["instance", "volume", "network-interface", "spot-instances-request", "security-group", "placement-group"],
    when: [equals("ec2:CreateAction", "RunInstances", "CreateSecurityGroup", "CreatePlacementGroup")],
    why: "Tags are given in the call that makes a thing, and by no other call: nothing can be tagged into reach.",
  },
  {
    actions: ["ec2:CreateSecurityGroup"],
    on: ["security-group"],
    when: [tagging],
    why: "A workspace has a security group.",
  },
  {
    actions: ["ec2:CreatePlacementGroup"],
    on: ["placement-group"],
    when: [tagging],
    why: "Machines that talk to each other a lot stand together.",
  },
  { actions: ["ec2:CreateSecurityGroup"], on: ["vpc"], why: "A security group is made in a network." },
  {
    actions: ["ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"],
    on: ["security-group"],
    when: [tagged],
    why: "A security group lets its own members talk to each other.",
  },
  {
    actions: ["ec2:DeletePlacementGroup"],
    on: ["placement-group"],
    when: [tagged],
    why: "A placement group goes with its cluster.",
  },
  {
    actions: ["iam:PassRole"],
    on: ["host-role", "job-roles"],
    when: [equals("iam:PassedToService", "ec2.amazonaws.com")],
    why: "Machines get the hosts' role, or a role for jobs that an administrator made for this.",
  },
  {
    actions: ["iam:CreateServiceLinkedRole"],
    on: ["spot-service-role"],
    when: [equals("iam:AWSServiceName", "spot.amazonaws.com")],
    why: "The first spot machine of an account needs the role that EC2 keeps for spot.",
  },
];

/** A stopped cluster is moved, and saved, by images of its machines, which are made of EBS snapshots of their disks. */
export const moving: readonly Grant[] = [
  {
    actions: ["ec2:CreateImage"],
    on: ["instance"],
    when: [tagged],
    why: "It makes images of machines of this deployment.",
  },
  {
    actions: ["ec2:CreateImage"],
    on: ["image", "snapshot"],
    when: [tagging],
    why: "Images, and the snapshots that they are made of, bear the tag too.",
  },
  {
    actions: ["ec2:CreateTags"],
    on: ["image", "snapshot"],
    when: [tagging, equals("ec2:CreateAction", "CreateImage")],
    why: "Their tags are given in the call that makes them, and by no other call.",
  },
  {
    actions: ["ec2:DeregisterImage"],
    on: ["image"],
    when: [tagged],
    why: "An image goes when the machines that a move made of it are there, or when somebody removes it.",
  },
  {
    actions: ["ec2:DeleteSnapshot"],
    on: ["snapshot"],
    when: [tagged],
    why: "So do the snapshots that it was made of.",
  },
];
