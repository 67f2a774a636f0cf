import { Event } from "@muster/core/event/event.ts";
import * as Image from "@muster/core/image/image.ts";
import { route } from "../route.ts";
import { PageQuery, page } from "./common.ts";

const one = { auth: "user", status: 200, params: Image.Param } as const;

export const images = {
  "images.save": route({
    method: "POST",
    path: "/v1/images",
    summary: "Save the disk of a stopped cluster's first host as an image; the cluster's owner and admins",
    whose: "owner",
    auth: "user",
    role: "member",
    status: 202,
    body: Image.Save,
    output: Image.Info,
    errors: ["not_found", "conflict", "name_taken", "quota_exceeded", "unsupported", "idempotency_mismatch"],
  }),
  "images.list": route({
    method: "GET",
    path: "/v1/images",
    summary: "The workspace's images, newest first",
    auth: "user",
    role: "viewer",
    status: 200,
    query: PageQuery,
    output: page(Image.Info),
    errors: [],
  }),
  "images.get": route({
    ...one,
    method: "GET",
    path: "/v1/images/{image}",
    summary: "Read one image, by id or name",
    role: "viewer",
    output: Image.Info,
    errors: ["not_found"],
  }),
  "images.events": route({
    ...one,
    method: "GET",
    path: "/v1/images/{image}/events",
    summary: "An image's history, oldest first",
    role: "viewer",
    query: PageQuery,
    output: page(Event),
    errors: ["not_found"],
  }),
  "images.remove": route({
    ...one,
    method: "DELETE",
    path: "/v1/images/{image}",
    summary: "Remove an image; machines that were made from it stay as they are; its owner and admins",
    whose: "owner",
    role: "member",
    status: 202,
    output: Image.Info,
    errors: ["not_found", "idempotency_mismatch"],
  }),
} as const;
